namespace Entrepot.Contracts;

/// <summary>What a fetch brings from an upstream. Everything that is ever asked of an upstream is one of these.</summary>
public enum FetchKind
{
    /// <summary>The bytes of a blob; the only kind that streams to its waiters.</summary>
    Blob,

    /// <summary>A manifest by digest.</summary>
    Manifest,

    /// <summary>What a tag points to now, and the manifest behind it when it is new.</summary>
    Tag,

    /// <summary>The full list of a repository's tags.</summary>
    TagList,

    /// <summary>The referrers of a digest.</summary>
    Referrers,

    /// <summary>Whether a repository has a digest whose bytes are already held (a HEAD, no bytes).</summary>
    Link,
}
