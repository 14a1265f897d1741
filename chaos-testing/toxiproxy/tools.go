//go:build tools

// Package toxiproxy pins the proxy that chaos runs put into every link; go.sum holds the hashes of all its sources.
package toxiproxy

import _ "github.com/Shopify/toxiproxy/v2/cmd/server"
