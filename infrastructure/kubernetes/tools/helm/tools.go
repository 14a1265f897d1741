//go:build tools

// Package helm pins the program that installs charts; go.sum holds the hashes of all its sources.
package helm

import _ "helm.sh/helm/v3/cmd/helm"
