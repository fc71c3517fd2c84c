namespace Entrepot.Storage;

/// <summary>The fetches that are running, wherever their owner is: in this process (<see cref="LiveSpools"/>) or behind an address.</summary>
public interface ILiveFetches
{
    /// <summary>The running fetch, or null when its owner does not have it (any more).</summary>
    /// <param name="fetchId">The fetch row's id.</param>
    /// <param name="fence">The claim that is meant; another claim of the same row is another fetch.</param>
    /// <param name="address">The owner's address from the row; empty for this process.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    ValueTask<ILiveFetch?> FindOrNullAsync(Guid fetchId, long fence, string address, CancellationToken cancellationToken);
}

/// <summary>A blob fetch that is running; any number of readers follow it at once.</summary>
public interface ILiveFetch
{
    /// <summary>What the upstream answered, once it has; null when the fetch ended before any upstream did.</summary>
    Task<LiveAnswer?> WaitForAnswerAsync(CancellationToken cancellationToken);

    /// <summary>Whether the owner could not be reached when it was last asked, or broke off: it may be gone.</summary>
    bool IsOwnerSilent { get; }

    /// <summary>A reader of the bytes as they come, or null when the fetch has let go of the bytes at <paramref name="offset"/>, or its owner has said that it does not have it.</summary>
    IBlobSource? OpenOrNull(long offset);
}

/// <summary>The upstream that answered a blob fetch, the repository it was asked through, and the size in bytes it announced.</summary>
public sealed record LiveAnswer(string Upstream, string Repository, long Size);
