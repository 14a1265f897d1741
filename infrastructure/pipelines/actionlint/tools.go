//go:build tools

// Package actionlint pins the program that checks the workflows of GitHub; go.sum holds the hashes of all its sources.
package actionlint

import _ "github.com/rhysd/actionlint/cmd/actionlint"
