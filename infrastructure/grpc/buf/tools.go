//go:build tools

// Package buf pins a program of the suite grpc; go.sum holds the hashes of all its sources.
package buf

import _ "github.com/bufbuild/buf/cmd/buf"
