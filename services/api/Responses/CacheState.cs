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

    /// <summary>Says it in the answer and in the trace, where the sampler decides by it.</summary>
    public static void Say(this CacheState state, HttpContext http)
    {
        state.SayOnly(http);
        Activity.Current?.SetTag("entrepot.cache", state.WireText());
    }

    /// <summary>Says it in the answer alone: of an error, which is always traced.</summary>
    public static void SayOnly(this CacheState state, HttpContext http) => http.Response.Headers["X-Cache"] = state.WireText();
}
