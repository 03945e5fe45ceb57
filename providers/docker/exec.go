package docker

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/client"
)

// execPause is between two looks at a command whose output has ended before it did.
const execPause = 100 * time.Millisecond

// Execute runs the command as the container's own user and in its own folder. What it
// writes is thrown away. The engine reports a program that it cannot run as 126 or 127.
// If ctx ends, so does the wait, but not the command, which the engine cannot end.
// ErrUnknownApp if the app does not exist, ErrNotRunning if none of its containers runs.
func (p *Provider) Execute(ctx context.Context, name string, command []string) (int, error) {
	code, err := p.execute(ctx, name, command)
	return code, naming("execute in", name, err)
}

func (p *Provider) execute(ctx context.Context, name string, command []string) (int, error) {
	_, running, err := p.containers.running(ctx, name)
	if err != nil {
		return 0, err
	}
	first := running[0].instance
	code, err := p.engine.run(ctx, first.ID, command)
	return code, doing(fmt.Sprintf("container %q", first.Name), err)
}

// run runs a command in a container and returns its exit code.
func (e *connection) run(ctx context.Context, id string, command []string) (int, error) {
	exec, err := e.prepare(ctx, id, command)
	if err != nil {
		return 0, err
	}
	if err := e.follow(ctx, exec, discard); err != nil {
		return 0, err
	}
	return e.exitCode(ctx, exec)
}

// prepare makes the command known to the engine, which does not run it yet.
func (e *connection) prepare(ctx context.Context, id string, command []string) (exec string, err error) {
	err = e.ask(ctx, callTimeout, func(ctx context.Context) error {
		made, err := e.client.ExecCreate(ctx, id, client.ExecCreateOptions{
			Cmd: command, AttachStdout: true, AttachStderr: true,
		})
		exec = made.ID
		return err
	})
	return exec, err
}

// discard reads what a command writes and throws it away.
func discard(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// follow runs the command and has what it writes read until it ends. The connection, once
// made, knows nothing of ctx.
func (e *connection) follow(ctx context.Context, exec string, read func(io.Reader) error) error {
	var output client.ExecAttachResult
	err := e.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		output, err = e.client.ExecAttach(ctx, exec, client.ExecAttachOptions{})
		return err
	})
	if err != nil {
		return err
	}
	defer output.Close()
	defer context.AfterFunc(ctx, output.Close)()
	err = read(output.Reader)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return doing("read output", e.endpoint.explain(ctx, err))
}

// exitCode waits for the end of a command, which mostly came with that of its output.
func (e *connection) exitCode(ctx context.Context, exec string) (int, error) {
	for {
		var now client.ExecInspectResult
		err := e.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
			now, err = e.client.ExecInspect(ctx, exec, client.ExecInspectOptions{})
			return err
		})
		if err != nil || !now.Running {
			return now.ExitCode, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(execPause):
		}
	}
}
