using Entrepot.Api.Endpoints;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Storage;

namespace Entrepot.Api.Pull;

/// <summary>Decides which hits a client is to read from the store itself (docs/adr/0011). Thread-safe.</summary>
internal sealed class Redirects(IBlobStore store, ClientAddresses clients)
{
    /// <summary>Where the client gets what it asks for; null when it gets it here. The URL is a secret: it goes into the answer and nowhere else.</summary>
    public Uri? UrlOrNull(PullRequest pull, BlobEntry held) =>
        // A small blob is answered sooner than the client could ask elsewhere.
        held.Size > BlobEntry.SmallBytes && BlobHead.IsTheSameElsewhere(pull, held.Digest, held.Size) && clients.OfOrNull(pull.Http) is { } client
            ? store.ClientUrlOrNull(new StoredBlob(held.Digest, held.Fence, held.Size), client)
            : null;
}
