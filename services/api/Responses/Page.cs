using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Which part of a list is asked for: at most <c>n</c> entries behind <c>last</c>, which need not exist. Source: OCI distribution-spec v1.1, Listing tags.</summary>
internal readonly record struct Page(int? Count, string? Last)
{
    public static bool TryRead(IQueryCollection query, out Page page, [NotNullWhen(false)] out OciError? error)
    {
        page = default;
        error = null;
        var n = query["n"].ToString();
        int? count = null;
        if (query.ContainsKey("n"))
        {
            if (n.Length == 0 || !n.All(char.IsAsciiDigit))
            {
                error = new OciError(OciErrorCode.PaginationNumberInvalid, $"n={new string([.. n.Take(32).Where(c => !char.IsControl(c))])} is not a number from 0 up");
                return false;
            }
            // More than an int holds is more than there is.
            count = int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : int.MaxValue;
        }
        var last = query["last"].ToString();
        page = new Page(count, last.Length == 0 ? null : last);
        return true;
    }

    /// <summary>This page of a list that is sorted by bytes, and whether more follows.</summary>
    public (IReadOnlyList<string> Entries, bool HasMore) Of(IReadOnlyList<string> sorted)
    {
        var last = Last;
        var rest = last is null ? sorted : [.. sorted.SkipWhile(entry => string.CompareOrdinal(entry, last) <= 0)];
        return Count is not { } count || rest.Count <= count ? (rest, false) : ([.. rest.Take(count)], count > 0);
    }
}
