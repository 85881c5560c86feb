# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to hold for every picture of ctmark-replay, whatever it shows.

python3 -m lab.pictures FILE... says what is wrong with .svg and .html files.
"""

import base64
import hashlib
import html.parser
import pathlib
import re
import sys
import xml.etree.ElementTree

SVG = "{http://www.w3.org/2000/svg}"
VOID = ("meta", "input", "link", "br", "img")
STRANGE = ("script", "foreignObject", "image", "use", "a", "style")


def common(text):
    """Of both kinds: nothing from elsewhere, no name twice, references that lead somewhere."""
    ids = re.findall(r'\sid="([^"]*)"', text)
    yield from (f"id {name} is there twice" for name in set(ids) if ids.count(name) > 1)
    refs = re.findall(r'href="#([^"]*)"', text) + re.findall(r"url\(#([^)]*)\)", text)
    yield from (f"no {name} to refer to" for name in set(refs) - set(ids))
    if re.search(r'(src|href)="(?!#)|url\((?!#)|@import|javascript:', text):
        yield "refers to something outside"
    if re.search("[\x00-\x08\x0b-\x1f\x7f]", text):
        yield "has control characters"


def svg(text):
    """Findings in an SVG that stands for itself."""
    yield from common(text)
    try:
        root = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError as error:
        yield f"not well-formed: {error}"
        return
    width, height = int(root.get("width")), int(root.get("height"))
    if width != 960 or root.get("viewBox") != f"0 0 {width} {height}" or root.get("role") != "img":
        yield "the root element is another one"
    if height > 32767:
        yield f"{height} pixels are more than some programs draw"
    if not root.findtext(f"{SVG}title") or not root.findtext(f"{SVG}desc"):
        yield "no title or no description"
    names = [element.tag.removeprefix(SVG) for element in root.iter()]
    yield from (f"has <{name}>" for name in STRANGE
                if name in names and (name != "style" or names.count(name) != 1))


class Page(html.parser.HTMLParser):
    """Are elements nested as they should be; what is in the script?"""

    def __init__(self):
        super().__init__()
        self.open, self.findings, self.policy, self.scripts = [], [], "", []

    def handle_starttag(self, tag, attrs):
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"]
        self.findings += [f"{name}= in <{tag}>" for name, _ in attrs
                          if name == "style" or name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.findings.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def page(text):
    """Findings in a page."""
    yield from common(text)
    parser = Page()
    parser.feed(text)
    parser.close()
    yield from parser.findings
    if parser.open or len(parser.scripts) != 1:
        yield "something is not closed, or there is not one script"
        return
    digest = base64.b64encode(hashlib.sha256(parser.scripts[0].encode()).digest()).decode()
    if not parser.policy.startswith("default-src 'none';"):
        yield "no policy, or one that allows too much"
    if f"script-src 'sha256-{digest}';" not in parser.policy:
        yield f"the policy does not allow the script: sha256-{digest}"


def findings(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return list(svg(text) if str(path).endswith(".svg") else page(text))


def main():
    wrong = [f"{path}: {finding}" for path in sys.argv[1:] for finding in findings(path)]
    print(*wrong, sep="\n", end="\n" if wrong else "")


if __name__ == "__main__":
    main()
