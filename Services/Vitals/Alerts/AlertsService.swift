internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// The methods of `heartguard.vitals.v1.AlertsService`: each parses its request, does one thing and answers.
struct AlertsService: Sendable {
    let alerts: AlertRuleRepository
}

extension AlertsService: VitalsV1.AlertsServiceProtocol {
    func createAlertRule(
        _ request: VitalsV1.CreateAlertRuleRequest, context: RPCContext
    ) async throws -> VitalsV1.CreateAlertRuleResponse {
        let rule = try NewAlertRule.parsed(request.rule, knowsVersion: false).rule
        return VitalsV1.CreateAlertRuleResponse(rule: .init(try await alerts.create(rule, of: try context.userID)))
    }

    func listAlertRules(
        _ request: VitalsV1.ListAlertRulesRequest, context: RPCContext
    ) async throws -> VitalsV1.ListAlertRulesResponse {
        VitalsV1.ListAlertRulesResponse(rules: try await alerts.list(of: try context.userID).map { .init($0) })
    }

    func updateAlertRule(
        _ request: VitalsV1.UpdateAlertRuleRequest, context: RPCContext
    ) async throws -> VitalsV1.UpdateAlertRuleResponse {
        let (rule, version) = try NewAlertRule.parsed(request.rule, knowsVersion: true)
        return VitalsV1.UpdateAlertRuleResponse(rule: .init(try await alerts.replace(rule, version: version, of: try context.userID)))
    }

    func deleteAlertRule(
        _ request: VitalsV1.DeleteAlertRuleRequest, context: RPCContext
    ) async throws -> VitalsV1.DeleteAlertRuleResponse {
        try await alerts.delete(try .init(named: "rule_id", request.ruleId), of: try context.userID)
        return VitalsV1.DeleteAlertRuleResponse()
    }

    func listAlerts(_ request: VitalsV1.ListAlertsRequest, context: RPCContext) async throws -> VitalsV1.ListAlertsResponse {
        let list = try OpenList("alerts", openOnly: request.openOnly, size: request.pageSize, token: request.pageToken)
        let read = try await alerts.alerts(of: try context.userID, openOnly: list.openOnly, behind: list.place?.id, limit: list.size + 1)
        let (page, next) = list.page(read) { ($0.raisedAt, $0.id) }
        return VitalsV1.ListAlertsResponse(alerts: page.map { .init($0) }, nextPageToken: next)
    }

    func acknowledgeAlert(
        _ request: VitalsV1.AcknowledgeAlertRequest, context: RPCContext
    ) async throws -> VitalsV1.AcknowledgeAlertResponse {
        let alert = try await alerts.acknowledge(try .init(named: "alert_id", request.alertId), of: try context.userID)
        return VitalsV1.AcknowledgeAlertResponse(alert: .init(alert))
    }

    func resolveAlert(_ request: VitalsV1.ResolveAlertRequest, context: RPCContext) async throws -> VitalsV1.ResolveAlertResponse {
        let (id, resolution) = try request.parsed()
        return VitalsV1.ResolveAlertResponse(alert: .init(try await alerts.resolve(id, of: try context.userID, saying: resolution)))
    }

    func verifyAlert(_ request: VitalsV1.VerifyAlertRequest, context: RPCContext) async throws -> VitalsV1.VerifyAlertResponse {
        let proof = AlertProof(try await alerts.evidence(of: try .init(named: "alert_id", request.alertId), try context.userID))
        return VitalsV1.VerifyAlertResponse(
            reproduced: proof.holds, rule: .init(proof.rule),
            evidence: proof.evidence.compactMap { .init($0, by: proof.rule.criteria) },
            clearing: proof.clearing.flatMap { .init($0, by: proof.rule.criteria) })
    }

    func replayAlerts(_ request: VitalsV1.ReplayAlertsRequest, context: RPCContext) async throws -> VitalsV1.ReplayAlertsResponse {
        let replay = try await alerts.replay(try .init(named: "rule_id", request.ruleId), of: try context.userID)
        return VitalsV1.ReplayAlertsResponse(replay.episodes, of: replay.count, kept: replay.kept.map(\.episode))
    }
}
