package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/server"
)

// previewHeaderLimit is how long a browser may take to say what it wants.
const previewHeaderLimit = 10 * time.Second

// previewThemes serves every state of the waiting page in all themes, or in one of them,
// until ctx ends. Faults of themes are logged to stderr.
func previewThemes(ctx context.Context, cfg config.Loaded, name string, stdout, stderr io.Writer) error {
	preview, err := server.NewPreview(server.NewThemes(cfg.ThemeDir, newLogger(cfg.Log, stderr)), name)
	if err != nil {
		return err
	}
	listener, err := listenOn(ctx, "theme-preview", cfg.ThemePreview)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "http://%s/ shows the waiting page; end it with Ctrl-C\n", listener.Addr())
	srv := &http.Server{Handler: preview, ReadHeaderTimeout: previewHeaderLimit}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() }) // its polls are held: nobody waits for them
	defer stop()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
