using Entrepot.Bench.Measuring;
using Entrepot.Bench.Running;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Targets;

/// <summary>Something that images can be pulled from.</summary>
/// <param name="name">As the table calls it.</param>
internal abstract class Target(string name) : IAsyncDisposable
{
    /// <summary>As the table calls it.</summary>
    public string Name => name;

    /// <summary>Where it answers.</summary>
    public abstract Uri Url { get; }

    /// <summary>Its processes.</summary>
    /// <exception cref="InvalidOperationException">It is not running.</exception>
    public abstract ProcessTree Processes { get; }

    /// <summary>Starts it with nothing in its cache and waits until it answers and is quiet. One that runs is stopped before.</summary>
    /// <exception cref="BenchException">It did not start.</exception>
    public abstract Task StartEmptyAsync(CancellationToken cancellationToken);

    /// <summary>Stops it and drops its cache. Does nothing when it is not running.</summary>
    public abstract Task StopAsync();

    /// <summary>The URL of a path.</summary>
    public Uri At(string path) => new(Url, path);

    /// <summary>The URL of a layer.</summary>
    public Uri LayerOf(BenchImage image, int layer = 0) => At(image.PathOf(image.Layers[layer]));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();
}
