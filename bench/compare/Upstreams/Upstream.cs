using System.Globalization;
using System.Text;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Upstreams;

/// <summary>
/// The upstream registry: nginx with one worker and <see cref="RegistryFiles"/>, on a port for each <see cref="Shape"/>, with a log of what it sent. Behind one
/// of the ports is docker-registry.
/// </summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly ChildProcess _nginx, _registry;
    private readonly Dictionary<Shape, int> _ports;
    private readonly Uri _status;

    private Upstream(ChildProcess nginx, ChildProcess registry, Dictionary<Shape, int> ports, Uri status, RegistryFiles files, UpstreamLog log)
    {
        _nginx = nginx;
        _registry = registry;
        _ports = ports;
        _status = status;
        Files = files;
        Log = log;
    }

    /// <summary>What it serves; more may be added while it runs.</summary>
    public RegistryFiles Files { get; }

    /// <summary>What it sent.</summary>
    public UpstreamLog Log { get; }

    /// <summary>Its processes.</summary>
    public ProcessTree Processes => new(_nginx.Id);

    /// <summary>Starts it and waits until it answers.</summary>
    public static async Task<Upstream> StartAsync(WorkFolder work, BenchImages images, CancellationToken cancellationToken)
    {
        var folder = work.New("upstream");
        var log = Path.Combine(folder, "access.log");
        var ports = Enum.GetValues<Shape>().ToDictionary(shape => shape, _ => FreePort.Next());
        var statusPort = FreePort.Next();
        var status = new Uri($"http://127.0.0.1:{statusPort}/status");
        var registryPort = FreePort.Next();
        var registry = StartRegistry(work, folder, registryPort, images);
        var nginx = Nginx.Start(folder, workers: 1, Settings(work.Images, log, ports, statusPort, registryPort, images), echo: true);
        var upstream = new Upstream(nginx, registry, ports, status, new RegistryFiles(work.Images), new UpstreamLog(log));
        try
        {
            foreach (var shape in ports.Keys) await Web.UntilReadyAsync(upstream.Url(shape), nginx, cancellationToken);
            return upstream;
        }
        catch
        {
            await upstream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where it answers in this shape.</summary>
    public Uri Url(Shape shape) => new($"http://127.0.0.1:{_ports[shape]}");

    /// <summary>Waits until no request runs and none came for 0.4 s, so that the log is whole.</summary>
    /// <exception cref="TimeoutException">Requests still run after two minutes.</exception>
    public async Task IdleAsync(CancellationToken cancellationToken)
    {
        var seen = -1L;
        var since = TestClock.Now;
        await Eventually.Async(
            async () =>
            {
                var length = Log.Mark();
                if (length != seen || await RunningAsync(cancellationToken) > 0)
                {
                    seen = length;
                    since = TestClock.Now;
                }

                return TestClock.Now - since > TimeSpan.FromSeconds(0.4);
            },
            TimeSpan.FromMinutes(2),
            "the upstream to be idle",
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _nginx.DisposeAsync();
        await _registry.DisposeAsync();
    }

    private static ChildProcess StartRegistry(WorkFolder work, string folder, int port, BenchImages images)
    {
        var storage = new RegistryStorage(work, Path.Combine(folder, "registry"));
        foreach (var image in new[] { images.Big, images.Warm }) storage.Add(image);
        var file = Path.Combine(folder, "registry.yml");
        File.WriteAllText(file, $$"""
            version: 0.1
            log:
              level: warn
              accesslog: {disabled: true}
            storage:
              filesystem:
                rootdirectory: '{{folder}}/registry'
            http:
              addr: 127.0.0.1:{{port}}
              relativeurls: true
            """);
        return ChildProcess.Start(DebianRegistry.Command, ["serve", file]);
    }

    // The third line from the end of stub_status is "Reading: 0 Writing: 1 Waiting: 2"; the one is this request itself.
    private async Task<int> RunningAsync(CancellationToken cancellationToken)
    {
        var words = Encoding.ASCII.GetString(await Web.GetAsync(_status, cancellationToken)).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return int.Parse(words[Array.IndexOf(words, "Writing:") + 1], CultureInfo.InvariantCulture) - 1;
    }

    // A shaped answer goes out in small stretches: nginx pauses behind each, so the last one is not slowed, and a large first one would be a gift to whoever asks for many ranges.
    private static string Settings(string root, string log, Dictionary<Shape, int> ports, int statusPort, int registryPort, BenchImages images)
    {
        const string Shaped = "limit_rate 50m; sendfile_max_chunk 256k;";
        const string Manifest = "default_type application/vnd.oci.image.manifest.v1+json;";
        const string Ping = """location = /v2/ { default_type application/json; return 200 "{}"; }""";
        var digests = string.Concat(images.All.Select(image => $"    \"{image.ByTag}\" \"{image.Digest}\";\n"));
        return $$"""
              log_format bench '$request_method\t$uri\t$status\t$body_bytes_sent\t$http_range';
              access_log "{{log}}" bench;
              root "{{root}}";
              default_type application/octet-stream;
              open_file_cache max=1000;
              map_hash_max_size 8192;
              map_hash_bucket_size 256;
              map $uri $content_digest {
                "~(sha256:[0-9a-f]+)$" $1;
            {{digests}}
              }
              add_header Docker-Content-Digest $content_digest;
              add_header Docker-Distribution-Api-Version registry/2.0;
              server {
                listen 127.0.0.1:{{ports[Shape.None]}};
                {{Ping}}
                location / { }
                location ~ /manifests/ { {{Manifest}} }
              }
              upstream registry { server 127.0.0.1:{{registryPort}}; keepalive 64; }
              server {
                listen 127.0.0.1:{{ports[Shape.Registry]}};
                location / {
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_set_header Host $http_host;
                  proxy_buffers 32 64k;
                  proxy_buffer_size 64k;
                  proxy_busy_buffers_size 512k;
                  proxy_max_temp_file_size 0;
                  proxy_pass http://registry;
                }
              }
              server {
                listen 127.0.0.1:{{ports[Shape.Rate]}};
                {{Shaped}}
                {{Ping}}
                location / { }
                location ~ /manifests/ { {{Manifest}} }
              }
              server {
                listen 127.0.0.1:{{ports[Shape.RateAndLatency]}};
                {{Shaped}}
                location = /v2/ { echo_sleep 0.03; echo_exec @ping; }
                location / { echo_sleep 0.03; echo_exec @file; }
                location ~ /manifests/ { echo_sleep 0.03; echo_exec @manifest; }
                location @ping { default_type application/json; return 200 "{}"; }
                location @file { }
                location @manifest { {{Manifest}} }
              }
              server {
                listen 127.0.0.1:{{statusPort}};
                access_log off;
                location = /v2/ { return 200; }
                location = /status { stub_status; }
              }
            """;
    }
}
