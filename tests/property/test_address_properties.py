"""No address inside is public, in whatever form it comes."""

from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.addresses import is_public, parse_address

# RFC 6890 and its successors, and the addresses at which clouds tell secrets to their machines.
INSIDE = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/29", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
    *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32", "100.100.100.200/32"),
    *("::/127", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "2002::/16", "64:ff9b::/96"),
    *("2001::/32", "100::/64", "fd00:ec2::254/128"),
]


def address_in(network):
    first, last = int(network[0]), int(network[-1])
    kind = type(network[0])
    return st.integers(first, last).map(kind)


INSIDE_ADDRESS = st.sampled_from([ip_network(one) for one in INSIDE]).flatmap(address_in)


@given(INSIDE_ADDRESS)
def test_no_address_of_a_range_that_leads_inside_is_public(address):
    assert not is_public(address)
    assert not is_public(parse_address(str(address)) or pytest.fail("no address"))


@given(INSIDE_ADDRESS.filter(lambda one: one.version == 4))
def test_an_ipv4_address_within_an_ipv6_one_leads_inside_too(address):
    for prefix in (0xFFFF << 32, 0x64FF9B << 96):
        assert not is_public(IPv6Address(prefix | int(address)))
    assert not is_public(IPv6Address((0x2002 << 112) | (int(address) << 80)))


@given(
    st.sampled_from([ip_network(one) for one in ("8.0.0.0/8", "93.184.0.0/16", "2606:4700::/32")]).flatmap(
        address_in
    )
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("text", ["hooks.example", "", "1.2.3", "0x7f.1", "2130706433x"])
def test_a_name_is_no_address(text):
    assert parse_address(text) is None


def test_a_link_of_an_interface_is_not_public():
    assert not is_public(ip_address("2606:4700::1%eth0"))
