namespace Entrepot.TestSupport.Clients;

/// <summary>An answer as it came over the socket.</summary>
/// <param name="StatusLine">For example <c>HTTP/1.1 200 OK</c>; "" when the connection was closed without an answer.</param>
/// <param name="Headers">The headers in their order, names as they were written.</param>
/// <param name="Body">The body, chunks taken apart.</param>
/// <param name="EndedShort">Whether the connection ended before the announced end of the body, or without an answer.</param>
public sealed record RawResponse(string StatusLine, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body, bool EndedShort)
{
    /// <summary>The status; 0 when there is none.</summary>
    public int Status => StatusLine.Split(' ') is [_, var code, ..] && int.TryParse(code, out var status) ? status : 0;

    /// <summary>The first header of this name (any case), or null.</summary>
    public string? Header(string name) =>
        Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();
}
