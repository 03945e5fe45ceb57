package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/server/page"
)

// previewHeaderLimit is how long a browser may take to say what it wants.
const previewHeaderLimit = 10 * time.Second

// themeCommand is a command that has others and does nothing itself.
func (s *shell) themeCommand() *cobra.Command {
	theme := &cobra.Command{
		Use: "theme", Short: "work on themes of the waiting page",
		Args: func(c *cobra.Command, words []string) error {
			if len(words) > 0 {
				return unknownCommand(c, words)
			}
			return usagef("theme: needs preview: paastis theme preview [NAME]")
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	theme.AddCommand(newCommand("preview [NAME]", "show every state of the waiting page, in all themes or one (theme_preview says where)",
		func(c *cobra.Command, words []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			return previewThemes(c.Context(), cfg, strings.Join(words, ""), s.stdout, s.stderr)
		}))
	return theme
}

// previewThemes serves every state of the waiting page in all themes, or in one of them,
// until ctx ends. Faults of themes are logged to stderr.
func previewThemes(ctx context.Context, cfg config.Loaded, name string, stdout, stderr io.Writer) error {
	preview, err := page.NewPreview(page.NewThemes(cfg.ThemeDir, newLogger(cfg.Log, stderr)), name)
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
