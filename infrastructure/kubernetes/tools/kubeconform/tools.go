//go:build tools

// Package kubeconform pins the program that compares objects with schemas; go.sum holds the hashes of all its sources.
package kubeconform

import _ "github.com/yannh/kubeconform/cmd/kubeconform"
