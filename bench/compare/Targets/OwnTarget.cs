using Entrepot.Bench.Measuring;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Targets;

/// <summary>A target that is a process of ours with a folder of its own.</summary>
/// <param name="name">As the table calls it.</param>
/// <param name="work">Where its folder lies.</param>
internal abstract class OwnTarget(string name, WorkFolder work) : Target(name)
{
    private ChildProcess? _process;
    private string? _folder;

    /// <inheritdoc/>
    public override Uri Url => new($"http://127.0.0.1:{Port}");

    /// <inheritdoc/>
    public override ProcessTree Processes => new(_process?.Id ?? throw new InvalidOperationException($"{Name} is not running."));

    /// <summary>The port it listens on, always the same.</summary>
    protected int Port { get; } = FreePort.Next();

    /// <inheritdoc/>
    public override async Task StartEmptyAsync(CancellationToken cancellationToken)
    {
        await StopAsync();
        _folder = work.New(Name);
        _process = Start(_folder);
        await Web.UntilReadyAsync(Url, _process, cancellationToken);
        await Processes.QuietAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _process = null;
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
        _folder = null;
    }

    /// <summary>Starts the process.</summary>
    /// <param name="folder">An empty folder for all that it writes.</param>
    protected abstract ChildProcess Start(string folder);
}
