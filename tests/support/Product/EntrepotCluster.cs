using System.Globalization;
using Entrepot.TestSupport.Running;
using Npgsql;

namespace Entrepot.TestSupport.Product;

/// <summary>
/// Entrepot's cluster as processes of their own, brought up by <c>infra/local/cluster.sh</c>: api replicas, fetchers, a janitor, PostgreSQL, RabbitMQ and an S3
/// server, on ports and a data folder of its own.
/// </summary>
public sealed class EntrepotCluster : IAsyncDisposable
{
    private const int PortsNeeded = 300;
    private const string Bucket = "entrepot";
    // Logs and traces go out every half second, not every five: who waits for them is a test.
    private static readonly Dictionary<string, string?> QuickExport = new() { ["OTEL_BSP_SCHEDULE_DELAY"] = "500", ["OTEL_BLRP_SCHEDULE_DELAY"] = "500" };
    private static readonly TimeSpan UpDeadline = TimeSpan.FromMinutes(4), CommandDeadline = TimeSpan.FromMinutes(2);
    private static readonly string Script = Path.Combine(Checkout.Root, "infra", "local", "cluster.sh");

    // Short: the servers' own files lie below it.
    private readonly TempFolder _folder = new("cl");
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(15) };
    private readonly int _portBase;
    private readonly HashSet<int> _watched = [];
    private Dictionary<string, (int Id, Uri Url)> _processes = [];

    private EntrepotCluster(int portBase) => _portBase = portBase;

    /// <summary>What runs, such as <c>api-1</c>, <c>fetcher-2</c>, <c>janitor-1</c>, <c>postgres</c>, <c>rabbitmq</c>, <c>s3</c>: as of the last start.</summary>
    public IReadOnlyList<string> Names => [.. _processes.Keys];

    /// <summary>Where everything lies.</summary>
    public string DataDirectory => _folder.File("d");

    /// <summary>The api replicas: mirrors' URLs for clients.</summary>
    public IReadOnlyList<Uri> Apis => [.. _processes.Where(p => p.Key.StartsWith("api-", StringComparison.Ordinal)).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value.Url)];

    /// <summary>How Npgsql reaches the database.</summary>
    public string ConnectionString => ConnectionStringTo("entrepot");

    /// <summary>How RabbitMQ is reached.</summary>
    public Uri BrokerUrl => _processes["rabbitmq"].Url;

    /// <summary>Starts one and waits until everything in it is ready.</summary>
    /// <param name="settings">The entrepot.json of all services.</param>
    /// <param name="apis">How many api replicas.</param>
    /// <param name="fetchers">How many fetchers.</param>
    /// <param name="differently">What a process alone shall see differently: lines of <c>Entrepot__KEY=VALUE</c> by name, made from the servers' ports.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="InvalidOperationException">It did not get ready; the message has what the script said.</exception>
    public static Task<EntrepotCluster> StartNewAsync(EntrepotSettings settings, int apis = 1, int fetchers = 1, Func<ClusterPorts, Task<IReadOnlyDictionary<string, string[]>>>? differently = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return UpAsync(settings, ["--api", Text(apis), "--fetcher", Text(fetchers)], differently, cancellationToken);
    }

    /// <summary>Starts PostgreSQL, RabbitMQ and the S3 server alone.</summary>
    /// <exception cref="InvalidOperationException">They did not get ready; the message has what the script said.</exception>
    public static Task<EntrepotCluster> StartServersAsync(CancellationToken cancellationToken = default) => UpAsync(new EntrepotSettings(), ["--servers-only"], null, cancellationToken);

    /// <summary>How Npgsql reaches a database of the server.</summary>
    public string ConnectionStringTo(string database) => $"Host=127.0.0.1;Port={_processes["postgres"].Url.Port};Database={database};Username=entrepot;Password=entrepot";

    /// <summary>Runs RabbitMQ's own tool.</summary>
    public Task RabbitMqCtlAsync(string[] arguments, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, ["rabbitmqctl", .. arguments]);

    /// <summary>The process id of <c>fetcher-1</c>, <c>postgres</c> and so on.</summary>
    public int IdOf(string name) => _processes[name].Id;

    /// <summary>Where it listens.</summary>
    public Uri UrlOf(string name) => _processes[name].Url;

    /// <summary>Which process listens there, such as <c>fetcher-2</c> for the address that a fetch's row names.</summary>
    public string NameOf(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return _processes.Single(p => p.Value.Url.Port == address.Port).Key;
    }

    /// <summary>Starts a process that was stopped or killed, and waits until it is ready.</summary>
    public async Task StartAsync(string name, CancellationToken cancellationToken = default)
    {
        await RunAsync(CommandDeadline, cancellationToken, "start", name);
        await RefreshAsync(cancellationToken);
    }

    /// <summary>SIGTERM; returns when it has ended.</summary>
    public Task StopAsync(string name, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, "stop", name);

    /// <summary>SIGSTOP, it and its children.</summary>
    public Task PauseAsync(string name, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, "pause", name);

    /// <summary>SIGCONT.</summary>
    public Task ResumeAsync(string name, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, "resume", name);

    /// <summary>SIGKILL.</summary>
    public Task KillAsync(string name, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, "kill", name);

    /// <summary>What a process has written, in all its lives.</summary>
    public string LogOf(string name) => File.ReadAllText(Path.Combine(DataDirectory, "log", name + ".log"));

    /// <summary>The first value that a query of the database returns, as text; "" for none.</summary>
    public Task<string> QueryAsync(string sql, CancellationToken cancellationToken = default) => QueryAsync(sql, "entrepot", cancellationToken);

    /// <summary>The same of any database of the server.</summary>
    public async Task<string> QueryAsync(string sql, string database, CancellationToken cancellationToken = default)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringTo(database) + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToString(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>How many requests with this method for a key below <c>blobs/</c> the S3 server has answered, by its own log.</summary>
    public int CountObjectRequests(string method)
    {
        using var log = new StreamReader(new FileStream(Path.Combine(DataDirectory, "servers", "s3", "log", "client.rgw.a.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var count = 0;
        while (log.ReadLine() is { } line)
            if (line.Contains("beast: ", StringComparison.Ordinal) && line.Contains($"\"{method} /{Bucket}/blobs/", StringComparison.Ordinal)) count++;
        return count;
    }

    /// <summary>The keys of the bucket's objects, and how many uploads in parts are under way, as the S3 server itself says.</summary>
    public async Task<(IReadOnlyList<string> Objects, int Uploads)> ListBucketAsync(CancellationToken cancellationToken = default)
    {
        using var bucket = NewBucket();
        return ([.. (await bucket.ListAsync(cancellationToken)).Select(o => o.Key)], await bucket.CountUploadsAsync(cancellationToken));
    }

    /// <summary>Where anybody may GET a stored blob from the S3 server itself, for an hour.</summary>
    /// <exception cref="InvalidOperationException">The bucket does not have it.</exception>
    public async Task<Uri> PresignedUrlOfAsync(string digest, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(digest);
        using var bucket = NewBucket();
        var key = (await bucket.ListAsync(cancellationToken)).Select(o => o.Key).FirstOrDefault(key => key.Contains(digest["sha256:".Length..], StringComparison.Ordinal));
        return key is null ? throw new InvalidOperationException($"The bucket has no {digest}.") : await bucket.PresignAsync(key);
    }

    /// <summary>Deletes every object of the bucket, and the bucket itself if asked to, as somebody might who has the key.</summary>
    public async Task EmptyBucketAsync(bool andBucket, CancellationToken cancellationToken = default)
    {
        using var bucket = NewBucket();
        await bucket.EmptyAsync(andBucket, cancellationToken);
    }

    /// <summary>Reads a process's <c>/metrics</c>.</summary>
    public async Task<Metrics> MetricsOfAsync(string name, CancellationToken cancellationToken = default) =>
        Metrics.Parse(await _client.GetStringAsync(new Uri(UrlOf(name), "/metrics"), cancellationToken));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Killed and not stopped: what a graceful stop does is tested by itself.
        foreach (var id in _watched) await ChildProcess.RunAsync("bash", ["-c", $"kill -9 $(tree() {{ echo $1; for c in $(cat /proc/$1/task/*/children 2>/dev/null); do tree $c; done; }}; tree {Text(id)}) 2>/dev/null"]);
        foreach (var id in _watched) Guardian.Forget(id);
        // To look at what happened: ENTREPOT_KEEP_LOGS names a folder.
        if (Environment.GetEnvironmentVariable("ENTREPOT_KEEP_LOGS") is { Length: > 0 } kept)
            foreach (var log in Directory.EnumerateFiles(Path.Combine(DataDirectory, "log"))) File.Copy(log, Path.Combine(Directory.CreateDirectory(kept).FullName, Path.GetFileName(log)), overwrite: true);
        _client.Dispose();
        _folder.Dispose();
    }

    private TestBucket NewBucket() => new(_processes["s3"].Url, Bucket);

    private static async Task<EntrepotCluster> UpAsync(
        EntrepotSettings settings, string[] what, Func<ClusterPorts, Task<IReadOnlyDictionary<string, string[]>>>? differently, CancellationToken cancellationToken)
    {
        var cluster = new EntrepotCluster(FreePortBase());
        try
        {
            var conf = Directory.CreateDirectory(Path.Combine(cluster.DataDirectory, "conf"));
            foreach (var (name, lines) in differently is null ? new Dictionary<string, string[]>() : await differently(new ClusterPorts(cluster._portBase)))
                await File.WriteAllLinesAsync(Path.Combine(conf.FullName, name + ".env"), lines, cancellationToken);
            var config = cluster._folder.File("entrepot.json");
            await File.WriteAllTextAsync(config, settings.ToJson(), cancellationToken);
            await cluster.RunAsync(UpDeadline, cancellationToken, ["up", .. what, "--config", config]);
            await cluster.RefreshAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A stretch of ports of which none is used now; others that look do so in other stretches.</summary>
    private static int FreePortBase() => FreePort.NextStretch(PortsNeeded);

    private async Task<string> RunAsync(TimeSpan deadline, CancellationToken cancellationToken, params string[] arguments)
    {
        var result = await ChildProcess.RunAsync(
            Script, [arguments[0], "--data", DataDirectory, .. arguments[1..]], new Dictionary<string, string?>(QuickExport) { ["ENTREPOT_PORT_BASE"] = Text(_portBase) }, deadline, cancellationToken);
        return result.ExitCode == 0 ? result.StandardOutput : throw new InvalidOperationException($"cluster.sh {string.Join(' ', arguments)} ended with code {result.ExitCode}:\n{result.Output}");
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var lines = (await RunAsync(CommandDeadline, cancellationToken, "ps")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _processes = lines.Select(line => line.Split(' ')).ToDictionary(p => p[0], p => (int.Parse(p[1], CultureInfo.InvariantCulture), new Uri(p[2])));
        lock (_watched)
            // Those that a script of ours runs are its children, which would outlive it.
            foreach (var id in _processes.SelectMany(p => p.Key is "rabbitmq" or "s3" ? Posix.ChildrenOf(p.Value.Id).Prepend(p.Value.Id) : [p.Value.Id]))
                if (_watched.Add(id))
                    Guardian.Watch(id);
    }
}
