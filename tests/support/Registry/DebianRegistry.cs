using System.Net;
using System.Net.Sockets;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Registry;

/// <summary>
/// A real registry, Debian's <c>docker-registry</c> (distribution 2.8), anonymous, on a port and a folder of its own. It takes pushes.
/// What it lacks: no referrers API, tag lists unsorted and in one page.
/// </summary>
public sealed class DebianRegistry : IAsyncDisposable
{
    /// <summary>The command that is run; a test that uses this class names it in its <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "docker-registry";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly TempFolder _folder = new("registry");
    private readonly RegistryPusher _pusher;
    private ChildProcess? _process;

    private DebianRegistry()
    {
        Port = FreePort.Next();
        Url = new Uri($"http://127.0.0.1:{Port}");
        _pusher = new RegistryPusher(Url);
        File.WriteAllText(_folder.File("config.yml"), $$"""
            version: 0.1
            log:
              level: warn
              accesslog: {disabled: true}
            storage:
              filesystem:
                rootdirectory: {{_folder.File("data")}}
              delete: {enabled: true}
            http:
              addr: 127.0.0.1:{{Port}}
              relativeurls: true
            """);
    }

    /// <summary>The port it listens on, the same after a restart.</summary>
    public int Port { get; }

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url { get; }

    /// <summary>Starts one with no images in it.</summary>
    /// <exception cref="ClientMissingException">docker-registry is not installed.</exception>
    public static async Task<DebianRegistry> StartNewAsync(CancellationToken cancellationToken = default)
    {
        var registry = new DebianRegistry();
        try
        {
            await registry.StartAsync(cancellationToken);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it, again on the same port and with the images it had. Does nothing when it runs.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_process is not null) return;
        _process = ChildProcess.Start(Command, ["serve", _folder.File("config.yml")]);
        await Eventually.Async(IsListeningAsync, Deadline, $"docker-registry on port {Port}", cancellationToken);
    }

    /// <summary>Stops it: connections to its port are refused when this returns. Does nothing when it is stopped.</summary>
    public async Task StopAsync()
    {
        if (_process is null) return;
        _process.Kill9(); // It has nothing to lose: every push was acknowledged after its rename.
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>Pushes an image, see <see cref="RegistryPusher.PushAsync"/>.</summary>
    public Task PushAsync(Image image, string repository, string? tag = "1", CancellationToken cancellationToken = default) =>
        _pusher.PushAsync(image, repository, tag, cancellationToken);

    /// <summary>Removes the files of an image that shares none with another: the API of this registry leaves them on the disk.</summary>
    public void Remove(Image image, string repository)
    {
        ArgumentNullException.ThrowIfNull(image);
        var root = _folder.File(Path.Combine("data", "docker", "registry", "v2"));
        foreach (var hex in image.Blobs.Append(image.Manifest).Select(blob => blob.Digest["sha256:".Length..])) Directory.Delete(Path.Combine(root, "blobs", "sha256", hex[..2], hex), recursive: true);
        Directory.Delete(Path.Combine(root, "repositories", repository), recursive: true);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _pusher.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> IsListeningAsync()
    {
        if (_process!.HasExited) throw new InvalidOperationException($"docker-registry ended: {_process.Output}");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        return true;
    }
}
