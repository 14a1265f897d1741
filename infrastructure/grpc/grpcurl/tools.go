//go:build tools

// Package grpcurl pins a program of the suite grpc; go.sum holds the hashes of all its sources.
package grpcurl

import _ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
