# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of ctmark-replay in a real browser: what is there, whether it can be read, what it does."""

import pathlib
import re
import subprocess

import pytest

from lab import scenes
from lab.browser import TAB, Browser
from lab.daemon import binary

PAPER = {"light": (0xff, 0xff, 0xff), "dark": (0x0d, 0x11, 0x17)}
PANEL = {"light": (0xf6, 0xf8, 0xfa), "dark": (0x16, 0x1b, 0x22)}

# Boxes of all texts that are shown, in pixels of the page.
TEXTS = """
return [...document.querySelectorAll('svg text')].filter(t => t.checkVisibility() && t.textContent)
    .map(t => { const b = t.getBoundingClientRect();
        return {text: t.textContent, x: b.x, y: b.y, right: b.right, bottom: b.bottom,
                fill: getComputedStyle(t).fill, tag: t.classList.contains('f-paper'),
                panel: t.previousElementSibling?.matches('.f-panel')}})
"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Every scene as .svg and .html."""
    folder = tmp_path_factory.mktemp("pictures")
    program = pathlib.Path(binary()).with_name("ctmark-replay")
    (folder / "ftp.conf").write_text("[Track]\nHelpers=ftp\n", encoding="utf-8")
    for scene in scenes.SCENES:
        name = scene.__name__
        scenes.write(folder / f"{name}.pcap", scene())
        subprocess.run([program, "--config", folder / "ftp.conf", "--svg", folder / f"{name}.svg",
                        "--html", folder / f"{name}.html", folder / f"{name}.pcap"], check=True,
                       timeout=120)
    return folder


@pytest.fixture(autouse=True)
def afresh(browser):
    """Nothing is left of the test before, and nothing was complained about or loaded in this one."""
    browser.scripts(True)
    browser.point(0, 0)
    browser.log("browser")
    browser.requests()
    yield
    assert browser.log("browser") == []
    assert all(url.startswith("file:") and "/pictures" in url for url in browser.requests())


def colour(text):
    return tuple(int(part) for part in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", text).groups())


def luminance(rgb):
    parts = (part / 255 for part in rgb)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                        for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def overlaps(texts):
    """Pairs of texts of which one lies on the other, by more than a hair."""
    texts = sorted(texts, key=lambda t: t["y"])
    for i, one in enumerate(texts):
        for other in texts[i + 1:]:
            if other["y"] > one["bottom"]:
                break
            across = min(one["right"], other["right"]) - max(one["x"], other["x"])
            down = min(one["bottom"], other["bottom"]) - max(one["y"], other["y"])
            if across > 1 and down > 3:  # lines of a paragraph touch: a box is taller than its letters
                yield one["text"], other["text"]


@pytest.mark.parametrize("scene", ["everything", "ftp", "long_flow", "many_flows"])
@pytest.mark.parametrize("kind", ["svg", "html"])
def test_no_text_lies_on_another(browser, drawn, scene, kind):
    browser.screen(1400, 1000)
    browser.open(drawn / f"{scene}.{kind}")
    texts = browser.run(TEXTS)
    assert len(texts) > 50
    assert list(overlaps(texts)) == []
    if kind == "svg":
        assert all(0 <= text["x"] and text["right"] <= 960 for text in texts)


@pytest.mark.parametrize("kind", ["svg", "html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(browser, drawn, scheme, kind):
    browser.screen(1400, 1000, scheme)
    browser.open(drawn / f"everything.{kind}")
    invalid = colour(browser.run("return getComputedStyle(document.querySelector('rect.f-INVALID')).fill"))
    for text in browser.run(TEXTS):
        ground = invalid if text["tag"] else PANEL[scheme] if text["panel"] else PAPER[scheme]
        assert contrast(colour(text["fill"]), ground) >= 4.5, text


def test_all_packets_are_there(browser, drawn):
    browser.screen(960, 1000)
    browser.open(drawn / "web.svg")
    packets = browser.run("return [...document.querySelectorAll('g.p')]"
                          ".map(p => [p.dataset.packet, p.classList[1], p.querySelectorAll('path').length])")
    assert [int(number) for number, *_ in packets] == list(range(1, 20))
    assert [int(number) for number, info, _ in packets if info == "INVALID"] == [8, 9]
    strokes = browser.run("return [...document.querySelectorAll('g.p')].map(p => "
                          "getComputedStyle(p.querySelector('path')).stroke)")
    kinds = {info: stroke for (_, info, _), stroke in zip(packets, strokes)}
    assert set(kinds) == {"NEW", "ESTABLISHED", "ESTABLISHED_REPLY", "INVALID"}
    assert len(set(kinds.values())) == 4
    assert browser.run("return document.querySelectorAll('.edge.taken').length") == 9


@pytest.mark.parametrize("kind", ["svg", "html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_seen(browser, drawn, scheme, kind):
    width = 960 if kind == "svg" else 1000
    browser.screen(width, 400, scheme)
    browser.open(drawn / f"web.{kind}")
    pixels = browser.pixels()
    assert (pixels.width, pixels.height) == (width, 400)
    seen = pixels.colours(step=3)
    assert len(seen) > 50
    assert max(seen, key=seen.get) == PAPER[scheme]
    assert pixels.at(955 if kind == "svg" else 990, 390) == PAPER[scheme]


def test_as_an_image(browser, drawn):
    """As in a README: no script, nothing from elsewhere, and dark where that is wanted."""
    page = drawn / "pictures.html"
    page.write_text('<!DOCTYPE html><body style="margin:0"><img src="web.svg">', encoding="utf-8")
    for scheme in "light", "dark":
        browser.screen(960, 300, scheme)
        browser.open(page)
        image = browser.run("const i = document.images[0]; return [i.complete, i.naturalWidth]")
        assert image == [True, 960]
        seen = browser.pixels().colours(step=3)
        assert len(seen) > 50 and max(seen, key=seen.get) == PAPER[scheme]


def box_of(browser, place):
    """Is the box of a place shown, and what does it say?"""
    return browser.run(f"const b = document.querySelectorAll('.place')[{place}].querySelector('.box');"
                       "return [getComputedStyle(b).display, b.textContent]")


@pytest.mark.parametrize("scripts", [True, False])
def test_details_with_the_mouse(browser, drawn, scripts):
    browser.screen(1400, 1000)
    browser.scripts(scripts)
    browser.open(drawn / "web.html")
    assert box_of(browser, 7)[0] == "none"
    place = browser.run("const b = document.querySelectorAll('.place > rect')[7].getBoundingClientRect();"
                        "return [b.x + 400, b.y + b.height / 2]")
    browser.point(*place)
    display, text = box_of(browser, 7)
    assert display != "none"
    for words in ("8, at 0.300000 s", "sequence beyond the receiver's window", "maxend=8228921",
                  "192.0.2.80:80 > 10.0.0.1:40000", "SEEN_REPLY,ASSURED,CONFIRMED", "mark 0xe"):
        assert words in text
    browser.point(5, 5)
    assert box_of(browser, 7)[0] == "none"


@pytest.mark.parametrize("scripts", [True, False])
def test_details_with_the_keyboard(browser, drawn, scripts):
    browser.screen(1400, 1000)
    browser.scripts(scripts)
    browser.open(drawn / "web.html")
    # what can have the focus, in order: the filter with scripts, the list, then packets
    for _ in range(40):
        browser.keys(TAB)
        if browser.run("return document.activeElement.matches('.place')"):
            break
    assert browser.run("return document.activeElement.getAttribute('aria-label')").startswith("Packet 1, SYN")
    assert box_of(browser, 0)[0] != "none"
    browser.keys(TAB)
    assert box_of(browser, 0)[0] == "none" and box_of(browser, 1)[0] != "none"


def test_boxes_do_not_leave_the_picture(browser, drawn):
    browser.screen(1400, 1000)
    browser.open(drawn / "everything.html")
    outside = browser.run("""
        return [...document.querySelectorAll('.place')].filter(p => {
            p.focus();
            const box = p.querySelector('.box').getBBox(), view = p.ownerSVGElement.viewBox.baseVal;
            return box.y < 0 || box.y + box.height > view.height || box.x + box.width > view.width;
        }).length""")
    assert outside == 0


@pytest.mark.parametrize("scripts", [True, False])
def test_the_list_leads_to_the_flows(browser, drawn, scripts):
    browser.screen(1400, 1000)
    browser.scripts(scripts)
    browser.open(drawn / "everything.html")
    links = browser.run("return [...document.querySelectorAll('#flows a')].map(a => a.hash)")
    assert links == [f"#flow-{i}" for i in range(1, 9)] + [f"#pair-{i}" for i in range(1, 5)] + ["#tcp", "#sctp"]
    browser.open(f"{drawn}/everything.html#flow-5")
    assert browser.run("return document.querySelector('section:target').id") == "flow-5"
    assert (browser.run("return getComputedStyle(document.querySelector('label')).display") != "none") == scripts


def test_the_list_can_be_filtered(browser, drawn):
    browser.screen(1400, 1000)
    browser.open(drawn / "everything.html")
    shown = "return [...document.querySelectorAll('#flows li')].filter(l => l.checkVisibility()).length"
    assert browser.run(shown) == 14
    browser.run("document.getElementById('q').focus()")
    browser.keys("UDP 2001")
    assert browser.run(shown) == 1


@pytest.mark.parametrize("width", [400, 800, 1200])
def test_narrow_windows(browser, drawn, width):
    """The page itself never has to be moved sideways; a picture may have to."""
    browser.screen(width, 800)
    browser.open(drawn / "everything.html")
    assert browser.run("return document.documentElement.scrollWidth") == width
    letters = browser.run("return document.querySelector('svg text.tl').getBoundingClientRect().height")
    assert letters > 10


def test_ten_thousand_flows_make_no_monster(browser, drawn):
    browser.screen(1400, 1000)
    browser.open(drawn / "many_flows.html")
    counts = browser.run("return [document.querySelectorAll('section').length,"
                         "document.querySelectorAll('#flows li').length,"
                         "document.querySelector('nav p').textContent]")
    assert counts[0] == 101 and counts[1] == 1001
    assert "9900 more flows are not drawn" in counts[2]
