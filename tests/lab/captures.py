# SPDX-License-Identifier: GPL-2.0-or-later
"""
Makes the captures of examples/captures anew: sudo PYTHONPATH=tests python3 -m lab.captures DIR [NAME...]

Real programs talk through the router of a throwaway network, and tcpdump listens at its lan port.
What no program sends is sent by hand; what this kernel may not speak (SCTP) is written by hand.
Senders on virtual cables leave checksums to the receiver: they are filled in here, as on a real one.
"""

import contextlib
import pathlib
import socket
import struct
import subprocess
import sys
import time

from lab import frames, netns
from lab.netns import CLIENT4, CLIENT_MAC, LAN_MAC, SERVER4, Lab
from lab.services import PYTHON, Ftp, Service, poll

BEGIN = 1_700_000_000  # of what is written by hand


# --- files -------------------------------------------------------------------------------------

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def write(path, packets):
    """A capture of Ethernet frames: (seconds since 1970, bytes) each."""
    with open(path, "wb") as file:
        file.write(HEADER)
        for when, frame in packets:
            file.write(struct.pack("<IIII", int(when), round(when % 1 * 1e6), len(frame), len(frame)))
            file.write(frame)


def read(path):
    data = pathlib.Path(path).read_bytes()
    at, packets = 24, []
    while at + 16 <= len(data):
        seconds, usec, length, _ = struct.unpack_from("<IIII", data, at)
        packets.append((seconds + usec / 1e6, data[at + 16:at + 16 + length]))
        at += 16 + length
    return packets


def with_checksum(frame):
    """The same with the checksum that a network card would have filled in."""
    packet = frame[14:]
    if packet[0] >> 4 != 4 or packet[9] not in (6, 17):
        return frame
    size, at = (packet[0] & 15) * 4, {6: 16, 17: 6}[packet[9]]
    segment = bytearray(packet[size:int.from_bytes(packet[2:4], "big")])
    segment[at:at + 2] = bytes(2)
    pseudo = packet[12:20] + struct.pack("!BBH", 0, packet[9], len(segment))
    segment[at:at + 2] = struct.pack("!H", frames.checksum(pseudo + segment))
    return frame[:14] + packet[:size] + bytes(segment)


# --- what is needed ----------------------------------------------------------------------------

class Web(Service):
    """A page that says hello."""

    ports = (("tcp", 80),)

    def command(self):
        (self.dir / "index.html").write_text("<!doctype html><title>Hello</title><p>Hello, tracker.\n")
        return [PYTHON, "-m", "http.server", "--bind", SERVER4, "80"]


def quiet(path, seconds=0.3):
    """Whether a file does not grow for so long."""
    size = path.stat().st_size
    time.sleep(seconds)
    return path.stat().st_size == size


@contextlib.contextmanager
def captured(lab, path):
    """What passes the router's lan port goes to a file, until all has come that is under way."""
    listener = lab.router.popen("tcpdump", "-i", "lan", "--immediate-mode", "-U", "-w", str(path), "ip",
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert "listening" in listener.stderr.readline()
        yield
        poll(lambda: quiet(path), what="the last packet")
    finally:
        listener.terminate()
        listener.wait()
    write(path, [(when, with_checksum(frame)) for when, frame in read(path)])


def connect(lab, port):
    """(client's socket, server's socket) of one connection."""
    with lab.server.socket() as listener:
        listener.bind((SERVER4, port))
        listener.listen()
        client = lab.client.socket()
        client.connect((SERVER4, port))
        return client, listener.accept()[0]


def say(one, other, text):
    one.sendall(text)
    assert poll(lambda: other.recv(len(text))) == text
    time.sleep(0.05)


def reached(path, port):
    """By a capture so far: whether a side is the client, and the sequence number behind its last byte."""
    end = {}
    for _, frame in read(path):
        packet = frame[14:]
        size = (packet[0] & 15) * 4
        sport, dport, seq = struct.unpack_from("!HHI", packet, size)
        length = int.from_bytes(packet[2:4], "big") - size - (packet[size + 12] >> 4) * 4
        if port in (sport, dport):
            end[dport == port] = (seq + length + (packet[size + 13] & 3 != 0)) & 0xFFFFFFFF
    return end


def seen(path, port):
    """Sequence numbers behind the last byte of the client and of the server, when all is written."""
    poll(lambda: quiet(path, 0.05) and len(reached(path, port)) == 2, what="packets of both sides")
    end = reached(path, port)
    return end[True], end[False]


# --- the captures ------------------------------------------------------------------------------

def tcp_life(lab, path):
    with Web(lab.server), captured(lab, path):
        lab.client.run("curl", "-s", "-o", "/dev/null", f"http://{SERVER4}/")


def refused(lab, path):
    with captured(lab, path):
        for _ in range(2):
            with lab.client.socket() as s:
                s.bind((CLIENT4, 40022))
                assert s.connect_ex((SERVER4, 8080)) != 0
            time.sleep(0.2)


def out_of_window(lab, path):
    """An open connection; somebody sends a segment far ahead, and acknowledges what nobody sent."""
    with captured(lab, path):
        client, server = connect(lab, 5000)
        with client, server:
            say(client, server, b"How is the weather?\n")
            say(server, client, b"Fine, and yours?\n")
            here, there = seen(path, 5000)
            port = client.getsockname()[1]
            with lab.client.raw("eth0") as wire:
                for seq, ack in ((here + 200000, there), (here, there + 5000)):
                    wire.send(frames.ethernet(frames.tcp(
                        CLIENT4, SERVER4, port, 5000, frames.PSH | frames.ACK, seq, ack, b"Rain!\n",
                        window=502)))
                    time.sleep(0.05)
            say(client, server, b"Fine, too.\n")
            client.shutdown(socket.SHUT_WR)
            assert server.recv(10) == b""


def ftp(lab, path):
    """A listing, fetched from an address that the server names; a file, sent to one that the client
    names."""
    with Ftp(lab.server, SERVER4) as server:
        (server.dir / "www" / "file").write_bytes(b"To be or not to be, that is the question.\n" * 50)
        with captured(lab, path):
            lab.client.run("curl", "-s", "-o", "/dev/null", f"ftp://{SERVER4}/")
            lab.client.run("curl", "-s", "-o", "/dev/null", "--disable-eprt", "--ftp-port", CLIENT4,
                           f"ftp://{SERVER4}/file")


def icmp_error(lab, path):
    """One datagram to a port where nobody listens, one that does not live to get there, and an error
    that quotes something nobody has sent."""
    with captured(lab, path), lab.client.socket(kind=socket.SOCK_DGRAM) as s:
        s.sendto(b"anybody there?", (SERVER4, 5300))
        time.sleep(0.1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        s.sendto(b"so far, so good", (SERVER4, 5301))
        time.sleep(0.1)
        quote = frames.udp(CLIENT4, SERVER4, 6000, 53, b"question")
        with lab.server.raw("eth0") as wire:
            wire.send(frames.ethernet(frames.icmp(SERVER4, CLIENT4, 3, 3, data=quote[:28]),
                                      netns.WAN_MAC, netns.SERVER_MAC))
        time.sleep(0.1)


def midstream(lab, path):
    """A connection that was open before anybody listened."""
    client, server = connect(lab, 5000)
    with client, server:
        say(client, server, b"before the capture\n")
        with captured(lab, path):
            say(server, client, b"Where were we?\n")
            say(client, server, b"In the middle.\n")
            client.close()
            assert server.recv(10) == b""
            server.close()


def sctp(lab, path):
    """An association from INIT to SHUTDOWN COMPLETE, and a packet with a tag that is not its own."""
    tags = {True: 0x1D5A3F02, False: 0x9C0E77B1}  # that the client's, the server's packets carry
    init = struct.pack("!IIHHI", tags[False], 106496, 10, 65535, 7000)
    init_ack = struct.pack("!IIHHI", tags[True], 106496, 10, 10, 9000) + struct.pack("!HH", 7, 36) + bytes(32)
    sack = frames.chunk(3, struct.pack("!IIHH", 7000, 106496, 0, 0))
    story = [
        (0.000, True, 0, frames.chunk(1, init)),
        (0.001, False, tags[False], frames.chunk(2, init_ack)),
        (0.002, True, tags[True], frames.chunk(10, bytes(32))),
        (0.003, False, tags[False], frames.chunk(11)),
        (0.010, True, tags[True], frames.chunk(0, struct.pack("!IHHI", 7000, 0, 0, 0) + b"hello\n", 3)),
        (0.011, False, tags[False], sack),
        (0.500, True, 0x00000BAD, frames.chunk(6)),
        (1.000, True, tags[True], frames.chunk(7, struct.pack("!I", 8999))),
        (1.001, False, tags[False], frames.chunk(8)),
        (1.002, True, tags[True], frames.chunk(14)),
    ]
    packets = []
    for when, client, tag, chunk in story:
        ends = (CLIENT4, SERVER4, 38412, 3868) if client else (SERVER4, CLIENT4, 3868, 38412)
        macs = (LAN_MAC, CLIENT_MAC) if client else (CLIENT_MAC, LAN_MAC)
        packets.append((BEGIN + when, frames.ethernet(frames.sctp(*ends, tag, chunk), *macs)))
    write(path, packets)


CAPTURES = {"tcp-life": tcp_life, "refused": refused, "out-of-window": out_of_window, "ftp": ftp,
            "icmp-error": icmp_error, "midstream": midstream, "sctp": sctp}


def main(directory, *names):
    for name in names or CAPTURES:
        path = pathlib.Path(directory) / f"{name}.pcap"
        with Lab() as lab:
            CAPTURES[name](lab, path)
        print(f"{path}: {len(read(path))} packets")


if __name__ == "__main__":
    main(*sys.argv[1:])
