using System.Globalization;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Product;

/// <summary>
/// Entrepot's standalone service as a process of its own, started from what the solution's build left (nothing is built here), on a
/// port and a data folder of its own.
/// </summary>
public sealed class EntrepotProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new("entrepot");
    private readonly EntrepotSettings _settings;
    private readonly HttpClient _client;
    private readonly List<string> _earlierLogs = [];
    private ChildProcess? _process;

    private EntrepotProcess(EntrepotSettings settings)
    {
        _settings = settings;
        Port = FreePort.Next();
        Url = new Uri($"http://127.0.0.1:{Port}");
        DataDirectory = settings.DataDirectory ?? _folder.File("data");
        ConfigFile = _folder.File("entrepot.json");
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(15) };
    }

    /// <summary>The port it listens on, the same after a restart.</summary>
    public int Port { get; }

    /// <summary><c>http://127.0.0.1:port</c>: the mirror's URL for clients.</summary>
    public Uri Url { get; }

    /// <summary>Where its data lies.</summary>
    public string DataDirectory { get; }

    /// <summary>Its entrepot.json, written anew at each start.</summary>
    public string ConfigFile { get; }

    /// <summary>Its process id.</summary>
    public int Id => Running.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process?.HasExited ?? true;

    /// <summary>Time from the start of the process to its first answer on <c>/v2/</c> (asked every 20 ms).</summary>
    public TimeSpan StartedWithin { get; private set; }

    /// <summary>Everything it has written to standard output and standard error, in all its lives.</summary>
    public string LogText => string.Concat(_earlierLogs) + (_process?.Output ?? "");

    /// <summary>Resident memory now, in bytes.</summary>
    public long RssBytes => StatusBytes("VmRSS");

    /// <summary>The most resident memory since the start or <see cref="ResetPeakRss"/>, in bytes.</summary>
    public long PeakRssBytes => StatusBytes("VmHWM");

    /// <summary>Starts one and waits until <c>/v2/</c> answers.</summary>
    /// <exception cref="TimeoutException">It did not answer in time; the message has its log.</exception>
    /// <exception cref="InvalidOperationException">It ended at once; the message has its log.</exception>
    public static async Task<EntrepotProcess> StartNewAsync(EntrepotSettings settings, CancellationToken cancellationToken = default)
    {
        var process = new EntrepotProcess(settings);
        try
        {
            await process.StartAsync(cancellationToken);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs one that is expected to end by itself, as with a bad configuration.</summary>
    /// <exception cref="TimeoutException">It was still running at the deadline.</exception>
    public static async Task<CommandResult> RunToExitAsync(EntrepotSettings settings, TimeSpan deadline, CancellationToken cancellationToken = default)
    {
        await using var process = new EntrepotProcess(settings);
        process.Launch();
        return await process.Running.WaitForExitAsync(deadline, cancellationToken);
    }

    /// <summary>Starts it again with the same port and data, after <see cref="Kill9"/> or <see cref="StopAsync"/>.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var started = TestClock.Now;
        Launch();
        var process = Running;
        try
        {
            await Eventually.Async(
                async () =>
                {
                    if (process.HasExited) return true;
                    using var answer = await _client.GetAsync(new Uri("/v2/", UriKind.Relative), cancellationToken);
                    return true;
                },
                StartDeadline,
                $"Entrepot to answer on port {Port}",
                cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} Its log:\n{process.Output}", e);
        }

        StartedWithin = TestClock.Now - started;
        if (!process.HasExited) return;
        var result = await process.WaitForExitAsync(StopDeadline, cancellationToken);
        throw new InvalidOperationException($"Entrepot ended at its start with code {result.ExitCode}. Its log:\n{result.Output}");
    }

    /// <summary>Kills it as <c>kill -9</c> does; it is gone when this returns.</summary>
    public void Kill9() => Running.Kill9();

    /// <summary>Stops it in its tracks (SIGSTOP): it keeps its sockets and does nothing.</summary>
    public void Pause() => Posix.Signal(Running.Id, Posix.SigStop);

    /// <summary>Lets it go on after <see cref="Pause"/>.</summary>
    public void Resume() => Posix.Signal(Running.Id, Posix.SigCont);

    /// <summary>Sends SIGTERM without waiting for the end.</summary>
    public void BeginStop() => Posix.Signal(Running.Id, Posix.SigTerm);

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    /// <returns>Its exit code and its log.</returns>
    public Task<CommandResult> StopAsync(CancellationToken cancellationToken = default) => Running.TerminateAsync(StopDeadline, cancellationToken);

    /// <summary>Stops it, if it runs, by SIGTERM, and starts it with the same port and data.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        if (!HasExited) await StopAsync(cancellationToken);
        await StartAsync(cancellationToken);
    }

    /// <summary>Makes <see cref="PeakRssBytes"/> begin anew from the memory of now.</summary>
    public void ResetPeakRss() => File.WriteAllText($"/proc/{Id}/clear_refs", "5");

    /// <summary>Reads <c>/metrics</c>.</summary>
    public async Task<Metrics> MetricsAsync(CancellationToken cancellationToken = default) =>
        Metrics.Parse(await _client.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken));

    /// <summary>Gets any path, for example <c>/readyz</c>. The caller disposes the answer.</summary>
    public Task<HttpResponseMessage> GetAsync(string path, CancellationToken cancellationToken = default) =>
        _client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);

    /// <summary>Ends it, and looks through all it has written.</summary>
    /// <exception cref="InvalidOperationException">Its log holds a secret: a configured password, a token, or a presigned query.</exception>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            if (!_process.HasExited) _process.Kill9(); // What a graceful stop does is tested by StopAsync; a test's end need not wait for it.
            await _process.DisposeAsync();
        }

        _client.Dispose();
        _folder.Dispose();
        foreach (var secret in _settings.Secrets().Concat(["Authorization:", "Bearer ", "Basic ", "sig="]))
            if (LogText.Contains(secret, StringComparison.OrdinalIgnoreCase)) throw new InvalidOperationException($"The log of Entrepot holds a secret ('{secret}'):\n{LogText}");
    }

    private ChildProcess Running => _process ?? throw new InvalidOperationException("Entrepot was not started.");

    private static string Program()
    {
        var folder = Path.Combine(Checkout.Root, "services", "standalone", "bin");
        var found = new[] { Checkout.Configuration, "Release", "Debug" }
            .Select(configuration => Path.Combine(folder, configuration, "net10.0", "Entrepot.Standalone.dll"))
            .FirstOrDefault(File.Exists);
        return found ?? throw new FileNotFoundException($"No Entrepot.Standalone.dll below {folder}: build Platform.sln first (dotnet build -c Release).");
    }

    private void Launch()
    {
        if (_process is { HasExited: false }) throw new InvalidOperationException("Entrepot is running already.");
        if (_process is not null) _earlierLogs.Add(_process.Output);
        Directory.CreateDirectory(DataDirectory);
        File.WriteAllText(ConfigFile, _settings.ToJson(Url, DataDirectory));
        var environment = new Dictionary<string, string?>(_settings.Environment);
        environment.TryAdd("DOTNET_ENVIRONMENT", "Production");
        environment.TryAdd("ASPNETCORE_ENVIRONMENT", "Production");
        _process = ChildProcess.Start("dotnet", [Program(), "--config", ConfigFile, .. _settings.Arguments], environment);
    }

    private long StatusBytes(string key)
    {
        var line = File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith(key + ":", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(key.Length + 1).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
