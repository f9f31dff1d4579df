//! Checked views of Ethernet, VLAN, IPv4, IPv6 and TCP headers.
