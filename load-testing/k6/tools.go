//go:build tools

// Package k6 pins the generator of the load scripts; go.sum holds the hashes of all its sources.
package k6

import _ "go.k6.io/k6"
