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
    private static readonly string[] Servers = ["postgres", "rabbitmq", "s3"];
    // Logs and traces go out every half second, not every five: who waits for them is a test.
    private static readonly Dictionary<string, string?> QuickExport = new() { ["OTEL_BSP_SCHEDULE_DELAY"] = "500", ["OTEL_BLRP_SCHEDULE_DELAY"] = "500" };
    private static readonly TimeSpan UpDeadline = TimeSpan.FromMinutes(4), CommandDeadline = TimeSpan.FromMinutes(2);
    private static readonly string Script = Path.Combine(Checkout.Root, "infra", "local", "cluster.sh");

    // Short: the servers' own files lie below it.
    private readonly TempFolder _folder = new("cl");
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(15) };
    private readonly int _portBase;
    // By name, of all that were ever started: the process first that the name stands for. Empty when we have ended it.
    private readonly Dictionary<string, IReadOnlyList<ProcessIdentity>> _watched = [];
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private readonly HashSet<string> _different = [];
    private IReadOnlyDictionary<string, string[]> _own = new Dictionary<string, string[]>();
    private bool _brokerStarves;
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

    /// <summary>Kills a process and starts it with settings that it alone sees, until <see cref="MendAsync"/>.</summary>
    /// <param name="name">Which one.</param>
    /// <param name="lines">Its settings, besides those it had: lines of <c>Entrepot__KEY=VALUE</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RestartWithAsync(string name, string[] lines, CancellationToken cancellationToken = default)
    {
        _different.Add(name);
        await WriteOwnAsync(name, lines, cancellationToken);
        await KillAsync(name, cancellationToken);
        await StartAsync(name, cancellationToken);
    }

    /// <summary>SIGTERM; returns when it has ended.</summary>
    public async Task StopAsync(string name, CancellationToken cancellationToken = default)
    {
        await RunAsync(CommandDeadline, cancellationToken, "stop", name);
        Watch(name, []);
    }

    /// <summary>SIGSTOP, it and its children.</summary>
    public Task PauseAsync(string name, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, "pause", name);

    /// <summary>SIGCONT.</summary>
    public Task ResumeAsync(string name, CancellationToken cancellationToken = default) => RunAsync(CommandDeadline, cancellationToken, "resume", name);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(string name, CancellationToken cancellationToken = default)
    {
        await RunAsync(CommandDeadline, cancellationToken, "kill", name);
        Watch(name, []);
    }

    /// <summary>The broker takes no messages any more: it believes itself short of memory.</summary>
    public Task StarveBrokerAsync(CancellationToken cancellationToken = default)
    {
        _brokerStarves = true;
        return RabbitMqCtlAsync(["set_vm_memory_high_watermark", "0"], cancellationToken);
    }

    /// <summary>It takes messages again.</summary>
    public async Task FeedBrokerAsync(CancellationToken cancellationToken = default)
    {
        await RabbitMqCtlAsync(["set_vm_memory_high_watermark", "absolute", "512MB"], cancellationToken);
        _brokerStarves = false;
    }

    /// <summary>Makes it whole again, whatever was done to it by these methods: all that was ever started runs, as it was set up, and is ready. Quick when it is whole.</summary>
    public async Task MendAsync(CancellationToken cancellationToken = default)
    {
        foreach (var one in Everything()) one.Signal(Posix.SigCont);
        foreach (var name in _different)
        {
            await WriteOwnAsync(name, [], cancellationToken);
            if (Runs(name)) await KillAsync(name, cancellationToken);
        }
        _different.Clear();
        string[] all;
        lock (_watched) all = [.. _watched.Keys];
        await Task.WhenAll(all.Where(name => !Runs(name)).Select(name => StartAsync(name, cancellationToken)));
        if (_brokerStarves) await FeedBrokerAsync(cancellationToken);
        foreach (var service in all.Except(Servers))
            await Eventually.Async(
                async () =>
                {
                    using var answer = await _client.GetAsync(new Uri(UrlOf(service), "/readyz"), cancellationToken);
                    return answer.IsSuccessStatusCode;
                },
                CommandDeadline, $"{service} to be ready", cancellationToken);
    }

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

    /// <summary>What the services are given to prove themselves with, and what makes an address a signed one: nothing they tell may hold it.</summary>
    public IReadOnlyList<string> Secrets =>
        [TestBucket.SecretKey, File.ReadAllText(Path.Combine(DataDirectory, "conf", "token")).Trim(), "X-Amz-Signature", "X-Amz-Credential", "Password=", "Authorization:", "Bearer "];

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
        var all = Everything();
        foreach (var one in all) one.Signal(Posix.SigKill);
        await Eventually.Async(() => !all.Any(one => one.Runs), CommandDeadline, "what was killed to be gone");
        string[] names;
        lock (_watched) names = [.. _watched.Keys];
        foreach (var name in names) Watch(name, []);
        // To look at what happened: ENTREPOT_KEEP_LOGS names a folder.
        if (Environment.GetEnvironmentVariable("ENTREPOT_KEEP_LOGS") is { Length: > 0 } kept)
            foreach (var log in Directory.EnumerateFiles(Path.Combine(DataDirectory, "log"))) File.Copy(log, Path.Combine(Directory.CreateDirectory(kept).FullName, Path.GetFileName(log)), overwrite: true);
        _client.Dispose();
        _refreshing.Dispose();
        _folder.Dispose();
    }

    private TestBucket NewBucket() => new(_processes["s3"].Url, Bucket);

    private static async Task<EntrepotCluster> UpAsync(
        EntrepotSettings settings, string[] what, Func<ClusterPorts, Task<IReadOnlyDictionary<string, string[]>>>? differently, CancellationToken cancellationToken)
    {
        var cluster = new EntrepotCluster(FreePortBase());
        try
        {
            if (differently is not null) cluster._own = await differently(new ClusterPorts(cluster._portBase));
            foreach (var name in cluster._own.Keys) await cluster.WriteOwnAsync(name, [], cancellationToken);
            var config = cluster._folder.File("entrepot.json");
            await File.WriteAllTextAsync(config, settings.ToJson(), cancellationToken);
            await cluster.RunAsync(UpDeadline, cancellationToken, ["up", .. what, "--config", config]);
            await cluster.RefreshAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.EndHalfStartedAsync();
            throw;
        }
    }

    /// <summary>What a start that failed has left is known to the script alone.</summary>
    private async Task EndHalfStartedAsync()
    {
        try
        {
            await RefreshAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It had not begun.
        }
        await DisposeAsync();
    }

    /// <summary>Lines for a process alone at its next start, behind those it was made with.</summary>
    private Task WriteOwnAsync(string name, string[] lines, CancellationToken cancellationToken) => File.WriteAllLinesAsync(
        Path.Combine(Directory.CreateDirectory(Path.Combine(DataDirectory, "conf")).FullName, name + ".env"), [.. _own.GetValueOrDefault(name, []), .. lines], cancellationToken);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A stretch of ports of which none is used now; others that look do so in other stretches.</summary>
    private static int FreePortBase() => FreePort.NextStretch(PortsNeeded);

    private async Task<string> RunAsync(TimeSpan deadline, CancellationToken cancellationToken, params string[] arguments)
    {
        var result = await ChildProcess.RunAsync(
            Script, [arguments[0], "--data", DataDirectory, .. arguments[1..]], new Dictionary<string, string?>(QuickExport) { ["ENTREPOT_PORT_BASE"] = Text(_portBase), ["ENTREPOT_NO_BUILD"] = "1" }, deadline, cancellationToken);
        return result.ExitCode == 0 ? result.StandardOutput : throw new InvalidOperationException($"cluster.sh {string.Join(' ', arguments)} ended with code {result.ExitCode}:\n{result.Output}");
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        // One after the other: what was asked last is what is known afterwards.
        await _refreshing.WaitAsync(cancellationToken);
        try
        {
            var lines = (await RunAsync(CommandDeadline, cancellationToken, "ps")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            _processes = lines.Select(line => line.Split(' ')).ToDictionary(p => p[0], p => (int.Parse(p[1], CultureInfo.InvariantCulture), new Uri(p[2])));
            // Those that a script of ours runs are its children, which would outlive it.
            foreach (var (name, (id, _)) in _processes) Watch(name, name is "rabbitmq" or "s3" ? [id, .. Posix.ChildrenOf(id)] : [id]);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private void Watch(string name, IReadOnlyList<int> ids)
    {
        var now = ids.Select(ProcessIdentity.OfOrNull).OfType<ProcessIdentity>().ToArray();
        lock (_watched)
        {
            var before = _watched.GetValueOrDefault(name, []);
            foreach (var gone in before.Except(now)) Guardian.Forget(gone);
            foreach (var come in now.Except(before)) Guardian.Watch(come);
            _watched[name] = now;
        }
    }

    private bool Runs(string name)
    {
        lock (_watched) return _watched[name] is [{ Runs: true }, ..];
    }

    /// <summary>All processes that were started and still run, with all below them.</summary>
    private ProcessIdentity[] Everything()
    {
        lock (_watched) return [.. _watched.Values.SelectMany(watched => watched).SelectMany(one => one.Tree()).Distinct()];
    }
}
