//go:build tools

// Package h2spec pins a program of the suite grpc; go.sum holds the hashes of all its sources.
package h2spec

import _ "github.com/summerwind/h2spec/cmd/h2spec"
