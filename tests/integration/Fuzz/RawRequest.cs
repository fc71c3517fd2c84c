using System.Text;

namespace Entrepot.IntegrationTests.Fuzz;

/// <summary>One request as it goes over the wire. Bytes beyond ASCII are written as Latin-1.</summary>
public sealed record RawRequest(string Method, string Target, string Version, IReadOnlyList<string> Headers, string Body)
{
    /// <summary>All of it.</summary>
    public byte[] ToBytes() => Encoding.Latin1.GetBytes($"{Method} {Target} {Version}\r\n{string.Concat(Headers.Select(header => header + "\r\n"))}\r\n{Body}");

    /// <inheritdoc/>
    public override string ToString() => string.Concat(Encoding.Latin1.GetString(ToBytes()).Select(c => c is >= ' ' and <= '~' or '\r' or '\n' ? c.ToString() : $"\\x{(int)c:x2}"));
}
