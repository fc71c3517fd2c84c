using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Product;

/// <summary>
/// Entrepot as a client sees it, on a port and with data of its own: the standalone service, or one of each service of the cluster (<see cref="Shape"/>).
/// What is said here of "it" is then true of them all together.
/// </summary>
public sealed class EntrepotProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new("entrepot");
    private readonly EntrepotSettings _settings;
    private readonly HttpClient _client;
    private readonly IShape _shape = Shape.IsCluster ? new ClusterShape() : new StandaloneShape();
    private IReadOnlyList<ServiceProcess> _services = [];

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

    /// <summary>Where its data lies; in the cluster shape the fetcher's spools alone.</summary>
    public string DataDirectory { get; }

    /// <summary>Its entrepot.json, written anew at each start.</summary>
    public string ConfigFile { get; }

    /// <summary>The id of the process that answers clients.</summary>
    public int Id => _services[0].Running.Id;

    /// <summary>Whether the process, or any one of them, has ended.</summary>
    public bool HasExited => _services.Any(s => s.HasExited);

    /// <summary>Time from the start to the first answer (asked every 20 ms).</summary>
    public TimeSpan StartedWithin { get; private set; }

    /// <summary>Everything it has written to standard output and standard error, in all its lives; in the cluster shape one process behind the other.</summary>
    public string LogText => string.Concat(_services.Select(s => s.LogText));

    /// <summary>Resident memory now, in bytes; in the cluster shape that of the process that has most.</summary>
    public long RssBytes => _services.Max(s => s.StatusBytes("VmRSS"));

    /// <summary>The most resident memory since the start or <see cref="ResetPeakRss"/>, in bytes; in the cluster shape that of the process that had most.</summary>
    public long PeakRssBytes => _services.Max(s => s.StatusBytes("VmHWM"));

    /// <summary>Npgsql's connection string to its database; null in the standalone shape.</summary>
    public string? PostgresConnection => _shape.PostgresConnection;

    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="TimeoutException">It did not answer in time; the message has its log.</exception>
    /// <exception cref="InvalidOperationException">It ended at once; the message has its log.</exception>
    public static async Task<EntrepotProcess> StartNewAsync(EntrepotSettings settings, CancellationToken cancellationToken = default)
    {
        var process = await MakeAsync(settings, cancellationToken);
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

    /// <summary>Runs one that is expected to end by itself, as with a bad configuration; in the cluster shape its api alone.</summary>
    /// <exception cref="TimeoutException">It was still running at the deadline.</exception>
    public static async Task<CommandResult> RunToExitAsync(EntrepotSettings settings, TimeSpan deadline, CancellationToken cancellationToken = default)
    {
        await using var process = await MakeAsync(settings, cancellationToken);
        process.WriteConfig();
        process._services[0].Launch(settings, process.ConfigFile);
        return await process._services[0].Running.WaitForExitAsync(deadline, cancellationToken);
    }

    /// <summary>Starts it again with the same port and data, after <see cref="Kill9"/> or <see cref="StopAsync"/>; what still runs of it goes on.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (!HasExited) throw new InvalidOperationException("Entrepot is running already.");
        WriteConfig();
        var started = TestClock.Now;
        foreach (var service in _services.Where(s => s.HasExited)) service.Launch(_settings, ConfigFile);
        foreach (var service in _services)
        {
            await service.WaitReadyAsync(_client, StartDeadline, cancellationToken);
            if (!service.HasExited) continue;
            var result = await service.Running.WaitForExitAsync(StopDeadline, cancellationToken);
            throw new InvalidOperationException($"Entrepot ended at its start with code {result.ExitCode}. Its log:\n{result.Output}");
        }
        StartedWithin = TestClock.Now - started;
    }

    /// <summary>Kills it as <c>kill -9</c> does; it is gone when this returns.</summary>
    public void Kill9()
    {
        foreach (var service in _services) service.Running.Kill9();
    }

    /// <summary>Stops it in its tracks (SIGSTOP): it keeps its sockets and does nothing.</summary>
    public void Pause() => Signal(Posix.SigStop);

    /// <summary>Lets it go on after <see cref="Pause"/>.</summary>
    public void Resume() => Signal(Posix.SigCont);

    /// <summary>Sends SIGTERM without waiting for the end.</summary>
    public void BeginStop() => Signal(Posix.SigTerm);

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    /// <returns>Its exit code and its log; in the cluster shape the highest code and all logs.</returns>
    public async Task<CommandResult> StopAsync(CancellationToken cancellationToken = default)
    {
        var ends = await Task.WhenAll(_services.Select(s => s.Running.TerminateAsync(StopDeadline, cancellationToken)));
        return new CommandResult(ends[0].Command, ends.Max(e => e.ExitCode), string.Concat(ends.Select(e => e.Output)), string.Concat(ends.Select(e => e.StandardOutput)));
    }

    /// <summary>Stops it, if it runs, by SIGTERM, and starts it with the same port and data.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync(cancellationToken);
        await StartAsync(cancellationToken);
    }

    /// <summary>Makes <see cref="PeakRssBytes"/> begin anew from the memory of now.</summary>
    public void ResetPeakRss()
    {
        foreach (var service in _services) File.WriteAllText($"/proc/{service.Running.Id}/clear_refs", "5");
    }

    /// <summary>Reads <c>/metrics</c>, in the cluster shape of all its processes as if they were one.</summary>
    public async Task<Metrics> MetricsAsync(CancellationToken cancellationToken = default) =>
        Metrics.Parse(string.Concat(await Task.WhenAll(_services.Select(s => _client.GetStringAsync(new Uri(s.Url, "/metrics"), cancellationToken)))));

    /// <summary>Gets any path, for example <c>/readyz</c>. The caller disposes the answer.</summary>
    public Task<HttpResponseMessage> GetAsync(string path, CancellationToken cancellationToken = default) =>
        _client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);

    /// <summary>The blobs in its store, as the disk or the S3 server itself says.</summary>
    public Task<IReadOnlyList<StoredBlobFile>> StoredBlobsAsync() => _shape.ListStoredAsync();

    /// <summary>Changes a blob in the store behind Entrepot's back.</summary>
    /// <param name="file">Which one.</param>
    /// <param name="text">What it holds from now on; null to delete it.</param>
    public Task SpoilStoredAsync(StoredBlobFile file, string? text) => _shape.SpoilStoredAsync(file, text);

    /// <summary>Ends it, and looks through all it has written.</summary>
    /// <exception cref="InvalidOperationException">Its log holds a secret: a configured password, a token, or a presigned query.</exception>
    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services) await service.DisposeAsync();
        await _shape.DisposeAsync();
        _client.Dispose();
        _folder.Dispose();
        foreach (var secret in _settings.Secrets().Concat(["Authorization:", "Bearer ", "Basic ", "sig=", "X-Amz-Signature="]))
            if (LogText.Contains(secret, StringComparison.OrdinalIgnoreCase)) throw new InvalidOperationException($"The log of Entrepot holds a secret ('{secret}'):\n{LogText}");
    }

    private static async Task<EntrepotProcess> MakeAsync(EntrepotSettings settings, CancellationToken cancellationToken)
    {
        var process = new EntrepotProcess(settings);
        process._services = await process._shape.MakeAsync(process.Url, process.DataDirectory, cancellationToken);
        return process;
    }

    private void WriteConfig()
    {
        Directory.CreateDirectory(DataDirectory);
        File.WriteAllText(ConfigFile, _settings.ToJson(Url, DataDirectory));
    }

    private void Signal(int signal)
    {
        foreach (var service in _services) Posix.Signal(service.Running.Id, signal);
    }
}
