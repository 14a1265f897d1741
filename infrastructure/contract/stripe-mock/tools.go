//go:build tools

// Package stripemock pins the program that checks requests against Stripe's OpenAPI document; go.sum holds the hashes
// of all its sources.
package stripemock

import _ "github.com/stripe/stripe-mock"
