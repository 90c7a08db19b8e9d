"""Tell public addresses of the internet from all others. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Addresses that `is_global` calls global, and that lead inside all the same: Azure's host (168.63.129.16), and
# what carries an IPv4 address (6to4, Teredo, NAT64), which no endpoint of today has as its only address.
_INSIDE = tuple(
    map(
        ip_network,
        ("168.63.129.16/32", "192.88.99.0/24", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48"),
    )
)


def parse_address(text: str) -> Address | None:
    """Return the address that a text is, with or without brackets; None for a name."""
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Tell whether anybody's packets may go there: not private, loopback, link-local, multicast or reserved.

    An IPv4 address within an IPv6 one (::ffff:10.0.0.1) counts as what it is. By IANA's registries of special
    addresses (RFC 6890), as Python knows them.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address.is_site_local or address.scope_id:
            return False
    refused = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not refused and not any(address in one for one in _INSIDE)
