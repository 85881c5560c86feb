# SPDX-License-Identifier: GPL-2.0-or-later
"""
A Varlink client that knows nothing of ctmarkd.

It asks the service for the description of its interface, reads that by the grammar of varlink.org and
nothing more, and holds every parameter that it sends and every reply that it gets against it: a member
that is not described, or of another type, is an error.
"""

import json
import re
import socket

SERVICE = "org.varlink.service"
TOKEN = re.compile(r"""
    (?P<space>[ \t\n]+|\#[^\n]*(?:\n|$))
  | (?P<interface>[A-Za-z](?:-*[A-Za-z0-9])*(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)+)
  | (?P<word>[A-Za-z](?:_?[A-Za-z0-9])*)
  | (?P<sign>->|\[string\]|\[\]|[?():,])
""", re.VERBOSE)
BASIC = {"bool", "int", "float", "string", "object"}


class SyntaxFault(Exception):
    """The description is none."""


class TypeFault(Exception):
    """A value is not as the description says."""


class Failure(Exception):
    """The service answered with an error."""

    def __init__(self, name, parameters):
        super().__init__(name, parameters)
        self.name, self.parameters = name, parameters

    @property
    def short(self):
        return self.name.rpartition(".")[2]


class Disconnected(Exception):
    """The service closed the connection."""


# ---- the description ----

class Parser:
    """Recursive descent over the tokens; a node is a tuple (kind, what it is made of)."""

    def __init__(self, text):
        self.tokens = list(self._split(text))

    @staticmethod
    def _split(text):
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise SyntaxFault(f"at {text[at:at + 30]!r}")
            if match.lastgroup != "space":
                yield match.lastgroup, match.group()
            at = match.end()

    def peek(self):
        return self.tokens[0][1] if self.tokens else None

    def take(self, wanted=None, kind=None, form=None):
        if not self.tokens:
            raise SyntaxFault("ends too early")
        got, text = self.tokens.pop(0)
        if (wanted and text != wanted) or (kind and got != kind) or (form and not re.fullmatch(form, text)):
            raise SyntaxFault(f"{text!r} where {wanted or form or kind} should be")
        return text

    def type(self, optional=True):
        if self.peek() == "?" and optional:
            self.take()
            return "maybe", self.type(optional=False)
        if self.peek() in ("[]", "[string]"):
            return ("array" if self.take() == "[]" else "map"), self.type()
        if self.peek() == "(":
            return self.members()
        name = self.take(kind="word")
        if name in BASIC:
            return "basic", name
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            raise SyntaxFault(f"{name!r} is no name of a type")
        return "name", name

    def members(self):
        """A struct, or an enum if its members have no types."""
        self.take("(")
        found = {}
        while self.peek() != ")":
            if found:
                self.take(",")
            name = self.take(kind="word")
            if name in found:
                raise SyntaxFault(f"{name!r} twice")
            if self.peek() == ":":
                self.take()
                found[name] = self.type()
            else:
                found[name] = None
        self.take(")")
        if None in found.values():
            if any(found.values()):
                raise SyntaxFault("neither struct nor enum")
            return "enum", set(found)
        return "struct", found

    def interface(self):
        self.take("interface")
        found = {"name": self.take(kind="interface"), "type": {}, "method": {}, "error": {}}
        while self.tokens:
            kind = self.take(form="type|method|error")
            name = self.take(kind="word", form=r"[A-Z][A-Za-z0-9]*")
            if any(name in found[k] for k in ("type", "method", "error")):
                raise SyntaxFault(f"{name!r} twice")
            if kind == "method":
                given = self.members()
                self.take("->")
                found[kind][name] = given, self.members()
            else:
                found[kind][name] = self.members()
        return found


class Interface:
    def __init__(self, text):
        found = Parser(text).interface()
        self.name, self.types = found["name"], found["type"]
        self.methods, self.errors = found["method"], found["error"]
        for node in [*self.types.values(), *self.errors.values(), *sum(self.methods.values(), ())]:
            self._resolve(node)

    def _resolve(self, node):
        kind, inner = node
        if kind == "name" and inner not in self.types:
            raise SyntaxFault(f"type {inner!r} is not there")
        for child in inner.values() if kind == "struct" else [inner] if isinstance(inner, tuple) else []:
            self._resolve(child)

    def check(self, node, value, where):
        """TypeFault unless the value is of the type."""
        kind, inner = node
        if kind == "maybe":
            return value is None or self.check(inner, value, where)
        if kind == "name":
            return self.check(self.types[inner], value, where)
        if kind == "struct":
            return self._check_struct(inner, value, where)
        wanted = {"array": list, "map": dict, "enum": str}.get(kind) or {
            "bool": bool, "int": int, "float": float, "string": str, "object": dict}[inner]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)) or \
                (kind == "enum" and value not in inner):
            raise TypeFault(f"{where} is {value!r}, not {kind} {inner}")
        items = value.items() if kind == "map" else enumerate(value) if kind == "array" else ()
        for key, item in items:
            self.check(inner, item, f"{where}[{key}]")
        return True

    def _check_struct(self, members, value, where):
        if not isinstance(value, dict):
            raise TypeFault(f"{where} is {value!r}, not an object")
        for name in value.keys() - members.keys():
            raise TypeFault(f"{where}.{name} is not described")
        for name, node in members.items():
            if name not in value and node[0] != "maybe":
                raise TypeFault(f"{where}.{name} is missing")
            if name in value:
                self.check(node, value[name], f"{where}.{name}")
        return True


# ---- the wire ----

class Connection:
    """Bytes to messages and back; nothing is checked here."""

    def __init__(self, path, timeout=20):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(path))  # waits while others do
        self.sock.settimeout(timeout)
        self._buffer = bytearray()

    def send_bytes(self, data):
        self.sock.sendall(data)

    def send(self, method, parameters=None, **flags):
        message = {"method": method, **({} if parameters is None else {"parameters": parameters}), **flags}
        self.send_bytes(json.dumps(message).encode() + b"\0")

    def receive(self):
        while (end := self._buffer.find(b"\0")) < 0:
            try:
                data = self.sock.recv(1 << 18)
            except ConnectionResetError as error:
                raise Disconnected from error
            if not data:
                raise Disconnected
            self._buffer += data
        message = bytes(self._buffer[:end])
        del self._buffer[:end + 1]
        return json.loads(message)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Client(Connection):
    """with Client(path, "io.ctmark.Manager") as c: c.call("GetStatus")["status"]"""

    def __init__(self, path, interface=None, timeout=20):
        super().__init__(path, timeout)
        self.interfaces = {}
        self.service = self._learn(SERVICE)
        self.info = self.call(f"{SERVICE}.GetInfo")
        for name in self.info["interfaces"]:
            self._learn(name)
        self.default = interface or next(n for n in self.info["interfaces"] if n != SERVICE)

    def _learn(self, name):
        self.send(f"{SERVICE}.GetInterfaceDescription", {"interface": name})
        reply = self.receive()
        self.interfaces[name] = Interface(reply["parameters"]["description"])
        if self.interfaces[name].name != name:
            raise SyntaxFault(f"{name} is called {self.interfaces[name].name}")
        return self.interfaces[name]

    def _find(self, method):
        name, _, method = method.rpartition(".")
        return self.interfaces[name or self.default], method

    def _reply(self, interface, method):
        reply = self.receive()
        extra = reply.keys() - {"parameters", "error", "continues"}
        if extra:
            raise TypeFault(f"members {extra} of a reply")
        parameters = reply.get("parameters") or {}
        if "error" in reply:
            self._fail(reply["error"], parameters)
        interface.check(interface.methods[method][1], parameters, method)
        return parameters, reply.get("continues", False)

    def _fail(self, error, parameters):
        name, _, short = error.rpartition(".")
        if short not in self.interfaces[name].errors:
            raise TypeFault(f"error {error} is not described")
        self.interfaces[name].check(self.interfaces[name].errors[short], parameters, short)
        raise Failure(error, parameters)

    def _begin(self, method, parameters, **flags):
        interface, name = self._find(method)
        interface.check(interface.methods[name][0], parameters, name)
        self.send(f"{interface.name}.{name}", parameters, **flags)
        return interface, name

    def call(self, method, **parameters):
        """The one reply."""
        reply, more = self._reply(*self._begin(method, parameters))
        if more:
            raise TypeFault(f"{method}: more replies where one was asked for")
        return reply

    def stream(self, method, **parameters):
        """Each reply, as it comes."""
        begun = self._begin(method, parameters, more=True)
        more = True
        while more:
            reply, more = self._reply(*begun)
            yield reply

    def gather(self, method, member, **parameters):
        """The arrays of all replies, put together."""
        return [item for reply in self.stream(method, **parameters) for item in reply[member]]
