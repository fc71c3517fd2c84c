namespace Entrepot.Hosting;

/// <summary>
/// Something that the process needs or wants to do its job. Registered as a singleton; <c>/readyz</c> asks it at most once a second,
/// never twice at a time, and waits at most a second for it. The bus is no part: nothing waits for it.
/// </summary>
public interface IReadinessPart
{
    /// <summary>A short name in lower case, such as <c>database</c>.</summary>
    string Name { get; }

    /// <summary>Whether the process is not ready without it.</summary>
    bool Required { get; }

    /// <summary>How the part fares now. An exception counts as down.</summary>
    ValueTask<PartHealth> CheckAsync(CancellationToken cancellationToken);
}
