using Entrepot.Bench.Measuring;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Targets;

/// <summary>No cache at all: the upstream itself.</summary>
/// <param name="upstream">The upstream.</param>
/// <param name="shape">How it answers.</param>
internal sealed class Direct(Upstream upstream, Shape shape) : Target(DefaultName)
{
    /// <summary>Its name.</summary>
    public const string DefaultName = "direct";

    /// <inheritdoc/>
    public override Uri Url => upstream.Url(shape);

    /// <inheritdoc/>
    public override ProcessTree Processes => upstream.Processes;

    /// <inheritdoc/>
    public override Task StartEmptyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override Task StopAsync() => Task.CompletedTask;
}
