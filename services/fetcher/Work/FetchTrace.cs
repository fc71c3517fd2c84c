using System.Diagnostics;
using Entrepot.Metadata;

namespace Entrepot.Fetcher.Work;

/// <summary>The spans of a fetch. Steps lie below the fetch, requests to upstream, store and database below the steps.</summary>
internal static class FetchTrace
{
    private static readonly ActivitySource Source = new("Entrepot.Fetcher");

    /// <summary>The span of one claim, in the trace of the pull that made the row: whoever rang, and whoever takes over.</summary>
    public static Activity? Begin(ClaimedFetch claim) => Source.StartActivity($"fetch {claim.Kind}", ActivityKind.Consumer, claim.TraceParent)?
        .SetTag("entrepot.fetch", claim.Id.ToString()).SetTag("entrepot.upstream", claim.Sources[0].Upstream).SetTag("entrepot.repository", claim.Sources[0].Repository)
        .SetTag("entrepot.reference", claim.Reference);

    /// <summary>Asking a source until its last byte is in the spool, or it has failed.</summary>
    public static Activity? Download() => Source.StartActivity("download");

    /// <summary>Making verified bytes durable, waiting for a store that is away included.</summary>
    public static Activity? Store() => Source.StartActivity("store");
}
