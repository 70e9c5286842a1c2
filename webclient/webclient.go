// Package webclient embeds the built demo page and the <liveness-check>
// component. `npm run build` in this folder fills dist; a checkout in which
// that has not run yet embeds an empty folder, and Built says so.
package webclient

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS returns the built files with index.html at its root.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // cannot happen: "dist" is a valid path, embedded above
		panic(err)
	}
	return sub
}

// Built reports whether the page was there when this binary was compiled.
func Built() bool {
	_, err := fs.Stat(FS(), "index.html")
	return err == nil
}
