using System.Globalization;
using System.Text.RegularExpressions;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>
/// What stands in braces in the texts of facts: <c>{layer}</c> is the digest of a content of the lab, <c>{layer.size}</c> its length in
/// bytes, <c>{layer.size-1}</c> one less, <c>{layer.hex}</c> the digest without its algorithm, <c>{a*256}</c> the text before the star so
/// many times.
/// </summary>
internal static partial class Placeholders
{
    /// <param name="text">The text.</param>
    /// <param name="find">Digest and length of a content.</param>
    public static string Fill(string text, Func<string, (string Digest, int Size)> find) => Pattern().Replace(text, match =>
    {
        var groups = match.Groups;
        if (groups["times"].Success) return string.Concat(Enumerable.Repeat(groups["unit"].Value, int.Parse(groups["times"].Value, CultureInfo.InvariantCulture)));
        var (digest, size) = find(groups["name"].Value);
        if (groups["hex"].Success) return digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        if (!groups["size"].Success) return digest;
        var more = groups["more"].Success ? int.Parse(groups["more"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        return (size + more).ToString(CultureInfo.InvariantCulture);
    });

    [GeneratedRegex(@"\{(?:(?<unit>[^{}*]+)\*(?<times>\d+)|(?<name>[a-z0-9-]+)(?:(?<size>\.size)(?<more>[+-]\d+)?|(?<hex>\.hex))?)\}")]
    private static partial Regex Pattern();
}
