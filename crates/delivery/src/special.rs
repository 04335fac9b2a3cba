//! The address ranges that are not the public internet, and the words for them.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates), the
//! multicast and reserved spaces, and addresses at which clouds answer their tenants.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a range is no place for a delivery, worded so that "the address … is …" reads well.
pub(crate) type Nature = &'static str;

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u32, nature: Nature) -> (Ipv4Addr, u32, Nature) {
    (Ipv4Addr::new(a, b, c, d), length, nature)
}

/// The registry marks a few addresses inside 192.0.0.0/24 as reachable (PCP and TURN anycast): no endpoint lives there.
const V4: [(Ipv4Addr, u32, Nature); 18] = [
    v4(0, 0, 0, 0, 8, "of \"this network\""),
    v4(10, 0, 0, 0, 8, "private"),
    v4(100, 64, 0, 0, 10, "shared by carrier-grade NAT"),
    v4(127, 0, 0, 0, 8, "the server itself (loopback)"),
    v4(168, 63, 129, 16, 32, "a cloud's internal service"),
    v4(169, 254, 0, 0, 16, "link-local (among them the metadata service of clouds)"),
    v4(172, 16, 0, 0, 12, "private"),
    v4(192, 0, 0, 0, 24, "reserved for protocol assignments"),
    v4(192, 0, 2, 0, 24, "for documentation"),
    v4(192, 88, 99, 0, 24, "a deprecated 6to4 relay"),
    v4(192, 168, 0, 0, 16, "private"),
    v4(198, 18, 0, 0, 15, "for benchmarks"),
    v4(198, 51, 100, 0, 24, "for documentation"),
    v4(203, 0, 113, 0, 24, "for documentation"),
    v4(224, 0, 0, 0, 4, "a multicast address"),
    v4(233, 252, 0, 0, 24, "for documentation"),
    v4(255, 255, 255, 255, 32, "the broadcast address"),
    v4(240, 0, 0, 0, 4, "reserved"),
];

const fn v6(segments: [u16; 4], length: u32, nature: Nature) -> (Ipv6Addr, u32, Nature) {
    let [a, b, c, d] = segments;
    (Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length, nature)
}

/// Only 2000::/3 is given out as global unicast; whatever is outside and not named here is reserved.
const V6: [(Ipv6Addr, u32, Nature); 16] = [
    (Ipv6Addr::LOCALHOST, 128, "the server itself (loopback)"),
    (Ipv6Addr::UNSPECIFIED, 128, "the unspecified address"),
    (Ipv6Addr::UNSPECIFIED, 96, "a deprecated IPv4-compatible address"),
    v6([0x64, 0xff9b, 1, 0], 48, "a translation to a local IPv4 network"),
    v6([0x100, 0, 0, 0], 64, "discarded by routers"),
    v6([0x2001, 0, 0, 0], 23, "reserved for protocol assignments"),
    v6([0x2001, 0xdb8, 0, 0], 32, "for documentation"),
    v6([0x3fff, 0, 0, 0], 20, "for documentation"),
    v6([0x2620, 0x4f, 0x8000, 0], 48, "a sink for reverse look-ups"),
    v6([0x5f00, 0, 0, 0], 16, "for segment routing"),
    v6([0xfc00, 0, 0, 0], 7, "private (unique local)"),
    v6([0xfe80, 0, 0, 0], 10, "link-local"),
    v6([0xfec0, 0, 0, 0], 10, "private (site-local)"),
    v6([0xff00, 0, 0, 0], 8, "a multicast address"),
    v6([0, 0, 0, 0], 3, "reserved"),
    v6([0x4000, 0, 0, 0], 2, "reserved"),
];

/// What the address is, when it is no public one.
pub(crate) fn nature_of_v4(address: Ipv4Addr) -> Option<Nature> {
    let bits = address.to_bits();
    V4.iter().find(|(net, length, _)| shares_prefix_32(bits, net.to_bits(), *length)).map(|(_, _, nature)| *nature)
}

/// What the address is, when it is no public one; an address that carries an IPv4 one must be asked for first.
pub(crate) fn nature_of_v6(address: Ipv6Addr) -> Option<Nature> {
    let bits = address.to_bits();
    let listed = V6.iter().find(|(net, length, _)| shares_prefix_128(bits, net.to_bits(), *length));
    match listed {
        Some((_, _, nature)) => Some(nature),
        None if bits >> 125 == 1 => None,
        None => Some("reserved"),
    }
}

/// The IPv4 addresses a packet to this address ends at, or passes, by its very spelling.
pub(crate) fn embedded_v4(address: Ipv6Addr) -> Option<[Ipv4Addr; 2]> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        // NAT64, the well-known prefix (RFC 6052).
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => Some([join(g, h); 2]),
        // 6to4 (RFC 3056).
        (0x2002, _) => Some([join(b, c); 2]),
        // Teredo: the server in clear, the client with all bits turned (RFC 4380).
        (0x2001, 0) => Some([join(c, d), join(!g, !h)]),
        _ => None,
    }
}

const fn shares_prefix_32(left: u32, right: u32, length: u32) -> bool {
    length == 0 || (left ^ right) >> (32 - length) == 0
}

const fn shares_prefix_128(left: u128, right: u128, length: u32) -> bool {
    length == 0 || (left ^ right) >> (128 - length) == 0
}
