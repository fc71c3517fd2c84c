using Entrepot.Api.Index;
using Entrepot.Metadata;
using Entrepot.Storage;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>What every <see cref="BlobLocator"/> looks in.</summary>
internal sealed record BlobLocators(ContentIndex Index, Holdings Holdings, FetchQueue Queue, FetchGate Gate, IBlobStore Store, ILiveFetches Live, TimeProvider Time, ILogger<BlobLocator> Log)
{
    /// <summary>A locator for a blob that is stored.</summary>
    public BlobLocator Create(Upstream upstream, ContentKey key, BlobEntry held) => new(this, upstream, key, held);

    /// <summary>A locator for a blob that is being fetched; it takes over the ticket.</summary>
    public BlobLocator Create(Upstream upstream, ContentKey key, FetchTicket ticket) => new(this, upstream, key, ticket);
}
