using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Entrepot.TestSupport.Running;

/// <summary>A process of a test: its lines are kept, and it never outlives the test run. Safe to use from several threads.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _all = new();
    private readonly StringBuilder _standard = new();
    private readonly string _commandLine;
    private readonly Task _ended;

    private ChildProcess(Process process, string commandLine)
    {
        _process = process;
        _commandLine = commandLine;
        Id = process.Id;
        var identity = ProcessIdentity.OfOrNull(Id);
        if (identity is { } running) Guardian.Watch(running);
        _process.OutputDataReceived += (_, line) => Keep(line.Data, standard: true);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data, standard: false);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
        _ended = WatchEndAsync(identity);
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The exit code; 128 + signal when a signal ended it.</summary>
    /// <exception cref="InvalidOperationException">The process still runs.</exception>
    public int ExitCode => _process.ExitCode;

    /// <summary>All lines so far, standard output and standard error together.</summary>
    public string Output
    {
        get { lock (_all) return _all.ToString(); }
    }

    /// <summary>Starts a command. Proxy settings of the environment are taken away: everything in a test is on loopback.</summary>
    /// <param name="file">A command on PATH (with the sbin folders added) or an absolute path.</param>
    /// <param name="arguments">Its arguments, passed as they are.</param>
    /// <param name="environment">Variables to set; null removes one.</param>
    /// <exception cref="ClientMissingException">There is no such command.</exception>
    public static ChildProcess Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(InstalledCommand.Find(file) ?? throw new ClientMissingException(file))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var name in new[] { "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY" })
        {
            start.Environment.Remove(name);
            start.Environment.Remove(name.ToLower(CultureInfo.InvariantCulture));
        }

        start.Environment["PATH"] = InstalledCommand.SearchPath;
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start.");
        return new ChildProcess(process, string.Join(' ', [file, .. start.ArgumentList]));
    }

    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="TimeoutException">It was still running at the deadline and was killed; the message tells what it had written.</exception>
    public static async Task<CommandResult> RunAsync(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, TimeSpan? deadline = null, CancellationToken cancellationToken = default)
    {
        await using var child = Start(file, arguments, environment);
        return await child.WaitForExitAsync(deadline ?? TimeSpan.FromMinutes(5), cancellationToken);
    }

    /// <summary>Waits until the process has ended and all its lines have come.</summary>
    /// <exception cref="TimeoutException">It was still running at the deadline.</exception>
    public async Task<CommandResult> WaitForExitAsync(TimeSpan deadline, CancellationToken cancellationToken = default)
    {
        try
        {
            await _ended.WaitAsync(deadline, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{_commandLine} was still running after {deadline.TotalSeconds:0.#} s. It wrote:\n{Output}");
        }

        lock (_all) return new CommandResult(_commandLine, ExitCode, _all.ToString(), _standard.ToString());
    }

    /// <summary>Kills the process as <c>kill -9</c> does and waits until it is gone.</summary>
    public void Kill9()
    {
        _process.Kill();

        // With a time it waits for the process alone; without, also for whoever inherited its output.
        _process.WaitForExit(TimeSpan.FromSeconds(10));
    }

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public Task<CommandResult> TerminateAsync(TimeSpan deadline, CancellationToken cancellationToken = default)
    {
        if (!HasExited) Posix.Signal(Id, Posix.SigTerm);
        return WaitForExitAsync(deadline, cancellationToken);
    }

    /// <summary>Sends SIGTERM, and SIGKILL when the process has not ended after 10 s.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!HasExited) await TerminateAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            Kill9();
        }

        _process.Dispose();
    }

    private async Task WatchEndAsync(ProcessIdentity? identity)
    {
        await _process.WaitForExitAsync();
        if (identity is { } ended) Guardian.Forget(ended);
    }

    private void Keep(string? line, bool standard)
    {
        if (line is null) return;
        lock (_all)
        {
            _all.Append(line).Append('\n');
            if (standard) _standard.Append(line).Append('\n');
        }
    }
}
