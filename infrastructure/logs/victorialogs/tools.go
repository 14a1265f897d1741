//go:build tools

// Package victorialogs pins the server of logs that `./dev up --observe` starts; go.sum holds the hashes of all its
// sources.
package victorialogs

import _ "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"
