"""Where clients come from, as tries are counted: one of them can have many addresses."""

from ipaddress import AddressValueError, IPv6Address, IPv6Network

BITS_OF_A_SITE = 64
"""Of an IPv6 address; whoever has a connection has all addresses that begin with the same bits."""


def network_of(address: str) -> str:
    """Give the address, or of an IPv6 address the network of its site."""
    try:
        parsed = IPv6Address(address)
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), BITS_OF_A_SITE), strict=False))
