//go:build tools

// Package oasdiff pins the program that compares the OpenAPI document with the last release's; go.sum holds the hashes
// of all its sources.
package oasdiff

import _ "github.com/oasdiff/oasdiff"
