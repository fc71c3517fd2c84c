using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Where an answer came from, as <c>X-Cache</c> says it.</summary>
internal enum CacheState
{
    /// <summary>From our store, without asking anybody.</summary>
    Hit,

    /// <summary>This request made the upstream be asked.</summary>
    Miss,

    /// <summary>This request shared what another one had asked for.</summary>
    Coalesced,

    /// <summary>Held, and its upstream did not confirm it in time.</summary>
    Stale,
}

internal static class CacheStates
{
    public static string WireText(this CacheState state) => state switch
    {
        CacheState.Hit => "HIT",
        CacheState.Miss => "MISS",
        CacheState.Coalesced => "COALESCED",
        _ => "STALE",
    };

    /// <summary>Says it in the answer.</summary>
    public static void Say(this CacheState state, IHeaderDictionary headers) => headers["X-Cache"] = state.WireText();

    /// <summary>Says it in the trace, where the sampler decides by it. Not of an error, which is always traced.</summary>
    public static void Trace(this CacheState state) => Activity.Current?.SetTag("entrepot.cache", state.WireText());
}
