"""Whether an address lies in a network is what Python says, for whatever text it is."""

from __future__ import annotations

import ipaddress
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testing.warehouse import Warehouse

#: Each way to write an address, and what only looks like one.
WRITTEN = """
    0.0.0.0 255.255.255.255 192.0.2.1 192.0.2.255 192.0.3.0 198.51.100.7
    :: ::1 1:: 2001:db8:: 2001:DB8:0:0:0:0:0:1 2001:db8::1:0:0:1 2001:db8:1::5
    2001:0db8:0000:0000:0000:0000:0000:0001 2001:db8:0:1:2:3:4:5
    1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1:2:3:4:5:6:192.0.2.1 ::192.0.2.1
    64:ff9b::192.0.2.33 ::ffff:192.0.2.1 ::FFFF:c000:0201 ::ffff:0:0
    0:0:0:0:0:ffff:192.0.2.255 ::ffff:1:192.0.2.1
    192.0.2 192.0.2.1.1 192.0.2.256 192.0.2.-1 192.0.02.1 192.0.2. .192.0.2.1
    192.0.2.1:443 192,0,2,1 0xc0.0.2.1 3221225985 1e1.0.2.1 192.0.2.1/32
    99999999999999999999.0.2.1
    : ::: 1 1:2 :1:: ::1: 1:::2 1::2::3 1::2:: :::: g:: 12345:: 00001:: -1:: +1::
    1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:8:: ::1:2:3:4:5:6:7:8
    [::1] ::192.0.2.1:1 1.2.3.4:: ::192.0.2 ::192.0.2.256 ::ffff:192.0.2.01
    2001:db8::/32 any * null localhost \\ % {}
    """
RANGES = """
    0.0.0.0/0 192.0.2.0/24 192.0.2.77/24 192.0.2.0/31 192.0.2.1 192.0.2.1/32
    128.0.0.0/1 198.51.100.0/23 ::/0 ::/1 2001:db8::/32 2001:DB8::/33 2001:db8::1
    2001:db8:0:1::/63 ::1/128 64:ff9b::/96 ::ffff:192.0.2.0/120 ::ffff:0:0/96
    1:2:3:4:5:6:7:8/127
    / /24 192.0.2.0/ 192.0.2.0/33 192.0.2.0/-1 192.0.2.0/2x 192.0.2.0/24/24
    192.0.2.0/99999999999999999999 192.0.2/24 2001:db8::/129 2001:db8::/32/
    ::ffff:192.0.2.0/24 any *
    """
ADDRESSES = [
    *WRITTEN.split(),
    *("", " ", "192.0.2.1 ", "192.0.2.1\n", "1: :2", "'; drop table addresses; --"),
    *("\u202e192.0.2.1", "192.0.2.\u0661", "\u00b2::"),
    *("x" * 5000, ":" * 5000, "1." * 3000),
]
NETWORKS = [
    *RANGES.split(),
    *("", "192.0.2.0/ 24", "192.0.2.0/\u0662", "192.0.2.0/" + "2" * 5000),
]


def test_an_address_lies_in_the_networks_that_python_says(own: Warehouse) -> None:
    rng = random.Random(6)  # noqa: S311 - the same addresses in each run
    addresses = sorted({*ADDRESSES, *made_up(rng)})
    networks = sorted({*NETWORKS, *(f"{a}/{rng.randrange(129)}" for a in addresses)})
    own.execute("create schema {answers}")
    for column, texts in {"address": addresses, "network": networks}.items():
        own.execute(f"create table {{answers}}.given_{column} ({column} text)")
        rows = ", ".join("('" + t.replace("'", "''") + "')" for t in texts)
        rows = rows.replace("{", "{{").replace("}", "}}")
        own.execute(f"insert into {{answers}}.given_{column} values {rows}")
    asked = own.compiled(
        f"""
        with addresses as materialized (
            {{{{ openai_audit.addresses('table {own.answers}.given_address') }}}}
        ),
        networks as materialized (
            {{{{ openai_audit.networks('table {own.answers}.given_network') }}}}
        )
        select address, network
        from addresses inner join networks on left(bits, length(prefix)) = prefix
        """
    )
    found = set(own.rows(asked.replace("{", "{{").replace("}", "}}")))
    assert len(found) > 1000
    assert found == {
        (address, network)
        for network in networks
        for address in addresses
        if lies_in(address, network)
    }


def made_up(rng: random.Random) -> Iterator[str]:
    """Return addresses that lie near each other, written in one way or another."""
    for _ in range(60):
        value = 0xC0000200 ^ rng.getrandbits(rng.choice((4, 9, 32)))
        yield str(ipaddress.IPv4Address(value))
        value = (0x20010DB8 << 96) ^ rng.getrandbits(rng.choice((8, 65, 97, 128)))
        address = ipaddress.IPv6Address(value & rng.getrandbits(128))
        yield rng.choice((address.compressed, address.exploded)).upper()


def lies_in(address: str, network: str) -> bool:
    found, given = parsed(address), parsed(network.split("/", maxsplit=1)[0])
    try:
        length = ipaddress.ip_network(network, strict=False).prefixlen
    except ValueError:
        return False
    if found is None or given is None or found.version != given.version:
        return False
    if given.version == 4 and ":" in network:
        length -= 96
    if length < 0:
        return False
    shift = given.max_prefixlen - length
    return int(found) >> shift == int(given) >> shift


def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address; one of IPv4 written like IPv6 is one of IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
