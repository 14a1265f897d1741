//go:build tools

// Package kubescore pins the program that rates objects of Kubernetes; go.sum holds the hashes of all its sources.
package kubescore

import _ "github.com/zegl/kube-score/cmd/kube-score"
