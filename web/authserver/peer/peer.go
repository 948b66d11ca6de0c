// Package peer names who a request comes from, so that guesses can be counted.
//
// It believes a proxy on this machine or in its private network about whom it
// answers, and nobody else; and it never fails: who cannot be named is
// "unknown", all of them together.
package peer

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Of names who asks, for counting. Behind a proxy on this machine or in its
// private network that is whom the nearest proxy says it answers; a stranger's
// own X-Forwarded-For is not believed.
func Of(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap(); ip.IsLoopback() || ip.IsPrivate() {
		list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if behind, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			ip = behind
		}
	}
	return Network(ip)
}

// Network is an IPv4 address, or the /64 an IPv6 peer can choose its address
// from.
func Network(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}
