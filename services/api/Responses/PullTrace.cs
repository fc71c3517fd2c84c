using System.Diagnostics;
using Entrepot.Oci;

namespace Entrepot.Api.Responses;

/// <summary>What the request's span says of a pull. Costs next to nothing while nobody records it.</summary>
internal static class PullTrace
{
    /// <summary>What is asked for.</summary>
    public static void Begin(OciRoute route, PullRequest pull, string? reference)
    {
        if (Activity.Current is not { Recorded: true } activity) return;
        activity.DisplayName = $"pull {route}";
        activity.SetTag("entrepot.upstream", pull.Upstream.Name).SetTag("entrepot.repository", pull.Repository).SetTag("entrepot.reference", reference);
    }

    /// <summary>Which fetch it waits for: the one that joins another's download finds that pull's trace by it.</summary>
    public static void Joined(Guid fetchId)
    {
        if (Activity.Current is { Recorded: true } activity) activity.SetTag("entrepot.fetch", fetchId.ToString());
    }

    /// <summary>How it ended.</summary>
    public static void Answered(int status)
    {
        if (Activity.Current is { Recorded: true } activity) activity.SetTag("http.response.status_code", status);
    }
}
