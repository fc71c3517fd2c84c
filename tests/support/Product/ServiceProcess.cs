using System.Globalization;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Product;

/// <summary>One of Entrepot's programs as a process of its own, started from what the solution's build left (nothing is built here). It may live several times.</summary>
/// <param name="service">Its folder below <c>services</c>.</param>
/// <param name="url">Where it listens.</param>
/// <param name="readyPath">What it answers with success once it is up.</param>
/// <param name="environment">Its variables, before those of the settings.</param>
internal sealed class ServiceProcess(string service, Uri url, string readyPath, Dictionary<string, string?> environment) : IAsyncDisposable
{
    private readonly List<string> _earlierLogs = [];
    private ChildProcess? _process;

    /// <summary>Where it listens.</summary>
    public Uri Url => url;

    /// <summary>The process of now.</summary>
    public ChildProcess Running => _process ?? throw new InvalidOperationException($"Entrepot's {service} was not started.");

    /// <summary>Whether it does not run.</summary>
    public bool HasExited => _process?.HasExited ?? true;

    /// <summary>All it has written, in all its lives.</summary>
    public string LogText => string.Concat(_earlierLogs) + (_process?.Output ?? "");

    /// <summary>Starts it; it must not run.</summary>
    public void Launch(EntrepotSettings settings, string configFile)
    {
        if (_process is { HasExited: false }) throw new InvalidOperationException($"Entrepot's {service} is running already.");
        if (_process is not null) _earlierLogs.Add(_process.Output);
        var all = new Dictionary<string, string?>(settings.Environment);
        foreach (var (name, value) in environment) all[name] = value;
        all.TryAdd("DOTNET_ENVIRONMENT", "Production");
        all.TryAdd("ASPNETCORE_ENVIRONMENT", "Production");
        _process = ChildProcess.Start("dotnet", [ServicePrograms.PathOf(service), "--config", configFile, .. settings.Arguments], all);
    }

    /// <summary>Waits until it is up or has ended.</summary>
    /// <exception cref="TimeoutException">Neither in time; the message has its log.</exception>
    public async Task WaitReadyAsync(HttpClient client, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var process = Running;
        try
        {
            await Eventually.Async(async () =>
            {
                if (process.HasExited) return true;
                using var answer = await client.GetAsync(new Uri(url, readyPath), cancellationToken);
                return answer.IsSuccessStatusCode;
            }, deadline, $"Entrepot's {service} to answer at {url}", cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} Its log:\n{process.Output}", e);
        }
    }

    /// <summary>A line of <c>/proc/PID/status</c> that tells a size, in bytes.</summary>
    public long StatusBytes(string key)
    {
        var line = File.ReadLines($"/proc/{Running.Id}/status").First(line => line.StartsWith(key + ":", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(key.Length + 1).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Kills it if it runs: what a graceful stop does is tested by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill9();
        await _process.DisposeAsync();
    }
}
