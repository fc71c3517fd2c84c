namespace Entrepot.Storage;

/// <summary>Someone who can free room on the disk of the spools when a download has none: the janitor, where it shares the disk.</summary>
public interface IRoomMaker
{
    /// <summary>Evicts what was used least recently until that many bytes are free; nothing when they can't be had altogether. Returns the bytes freed.</summary>
    Task<long> FreeAsync(long bytes, CancellationToken cancellationToken);
}
