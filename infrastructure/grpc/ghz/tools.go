//go:build tools

// Package ghz pins a program of the suite grpc; go.sum holds the hashes of all its sources.
package ghz

import _ "github.com/bojand/ghz/cmd/ghz"
