namespace Entrepot.Contracts;

/// <summary>How an api replica asks a fetcher, at the address its claim names, for a running download. Both show <c>Authorization: Bearer</c> and the shared token.</summary>
public static class InternalRoutes
{
    /// <summary>Where they begin.</summary>
    public const string Prefix = "/fetches/";

    /// <summary>The upstream that answered, the repository it was asked through, and the size in bytes, as headers of an empty 200: waits for it. 404 when there is no such claim here, or it ended without an answer.</summary>
    public static string Answer(Guid fetchId, long fence) => $"{Prefix}{fetchId:N}/{fence}/answer";

    /// <summary>The bytes as they come, from the offset of <c>Range: bytes=N-</c> on; ends short when the download does.</summary>
    public static string Content(Guid fetchId, long fence) => $"{Prefix}{fetchId:N}/{fence}/content";

    /// <summary>The header that names the upstream.</summary>
    public const string Upstream = "Entrepot-Upstream";

    /// <summary>The header that names the repository.</summary>
    public const string Repository = "Entrepot-Repository";

    /// <summary>The header with the size in bytes.</summary>
    public const string Size = "Entrepot-Size";
}
